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
