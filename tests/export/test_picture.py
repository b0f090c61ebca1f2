import pytest

from runx.export.picture import placed


def test_values_that_are_all_alike_stand_in_the_middle():
    assert placed([5, 5]) == [0.5, 0.5]
    assert placed([True, False]) == [1.0, 0.0]


def test_numbers_that_are_far_apart_are_placed_by_their_decades():
    assert placed([0.001, 0.1, None, 10]) == [0.0, pytest.approx(0.5), None, 1.0]
    assert placed([0, 5, 10]) == [0.0, 0.5, 1.0]
