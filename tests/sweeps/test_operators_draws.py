"""Random axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.sweeps.operators import DRAWS, drawn
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import parse_value


def values(operator: str, argument: str, samples: int = 200, seed: int | str = 0) -> list[float]:
    nodes = drawn("lr", operator, parse_value(argument, "x"), samples, seed)
    return [item.value for item in nodes if isinstance(item, Scalar)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("operator", "argument"),
    [
        ("uniform", "[1]"),
        ("uniform", "[2, 1]"),
        ("uniform", "[a, b]"),
        ("loguniform", "[0, 1]"),
        ("normal", "[0, 0]"),
        ("randint", "[0.5, 2]"),
        ("choice", "[]"),
        ("choice", "3"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(operator, argument):
    with pytest.raises(SweepError, match="takes"):
        values(operator, argument)


@pytest.mark.parametrize(
    ("operator", "argument", "low", "high"),
    [
        ("uniform", "[-1, 3]", -1, 3),
        ("uniform", "[1000000, 1000001]", 1000000, 1000001),
        ("uniform", "[2, 2]", 2, 2),
        ("loguniform", "[1e-5, 1e-1]", 1e-5, 1e-1),
        ("randint", "[1, 6]", 1, 6),
        ("choice", "[1, 2, 3]", 1, 3),
    ],
)
def test_what_is_drawn_lies_within_its_ends(operator, argument, low, high):
    sample = values(operator, argument)
    assert all(low <= value <= high for value in sample)
    assert low == high or len(set(sample)) > 2


def test_each_kind_is_spread_as_its_name_says():
    assert 0.4 < sum(values("uniform", "[0, 1]", 1000)) / 1000 < 0.6
    assert 400 < sum(value < 0.01 for value in values("loguniform", "[1e-4, 1]", 1000)) < 600
    assert 550 < sum(abs(value) < 1 for value in values("normal", "[0, 1]", 1000)) < 800
    assert set(values("randint", "[1, 6]", 1000)) == {1, 2, 3, 4, 5, 6}


def test_the_same_seed_draws_the_same_for_ever():
    assert values("uniform", "[0, 1]", 3) == [0.143049, 0.910035, 0.304148]
    assert values("uniform", "[0, 1]", 3, seed="x") != values("uniform", "[0, 1]", 3)


@given(st.sampled_from(sorted(DRAWS)), st.integers(1, 20), st.integers(1, 20), st.integers())
def test_more_samples_begin_with_the_same(operator, fewer, more, seed):
    short, long = sorted((fewer, more))
    sample = values(operator, "[1, 2]", long, seed)
    assert values(operator, "[1, 2]", short, seed) == sample[:short]


@pytest.mark.parametrize(
    ("operator", "argument", "expected"),
    [
        ("uniform", "[0, 0.5, 0.1]", {0, 0.1, 0.2, 0.3, 0.4, 0.5}),
        ("uniform", "[0.1, 0.75, 0.2]", {0.1, 0.3, 0.5, 0.7}),
        ("uniform", "[-1, 1, 1]", {-1, 0, 1}),
        ("uniform", "[1000000, 1000000.000002, 0.000001]", {1e6, 1000000.000001, 1000000.000002}),
        ("loguniform", "[100, 500, 100]", {100, 200, 300, 400, 500}),
        ("randint", "[1, 9, 2]", {1, 3, 5, 7, 9}),
        ("randint", "[0, 10, 4]", {0, 4, 8}),
        ("lograndint", "[1, 4]", {1, 2, 3, 4}),
        ("lograndint", "[64, 256, 64]", {64, 128, 192, 256}),
    ],
)
def test_ranges_with_a_step_have_its_multiples_from_the_lower_end(operator, argument, expected):
    assert set(values(operator, argument, 500)) == expected


def test_steps_are_as_likely_as_their_share_of_the_range():
    sample = values("uniform", "[0, 3, 1]", 2000)
    assert all(400 < sample.count(step) < 600 for step in range(4))
    sample = values("lograndint", "[1, 1000]", 2000)
    assert 850 < sum(value < 31 for value in sample) < 1150


@pytest.mark.parametrize(
    ("operator", "argument", "message"),
    [
        ("uniform", "[0, 1, 0]", "the step above 0"),
        ("uniform", "[0, 1, 2]", "not beyond high"),
        ("uniform", "[0, 1, -0.1]", "the step above 0"),
        ("uniform", "[0, 1, x]", r"takes \[low, high\] or \[low, high, step\], numbers"),
        ("uniform", "[0, 1, 2, 3]", "numbers"),
        ("randint", "[0, 9, 0.5]", "whole numbers"),
        ("lograndint", "[0, 9]", "both above 0"),
        ("lograndint", "[1.5, 9]", "whole numbers"),
        ("loguniform", "[0, 1, 0.1]", "both above 0"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(operator, argument, message):
    with pytest.raises(SweepError, match=message):
        values(operator, argument)


def test_large_whole_numbers_stay_exact():
    ends = "[9007199254740993, 9007199254740999, 2]"
    assert {value % 2 for value in values("randint", ends)} == {1}
