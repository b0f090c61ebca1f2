"""The operators of HPARAMS."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.sweeps.operators import OPERATORS
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import parse_value


def texts(operator: str, argument: str) -> list[str]:
    nodes = OPERATORS[operator](parse_value(argument, "x"))
    return [item.text for item in nodes if isinstance(item, Scalar)]


@pytest.mark.parametrize(
    ("operator", "argument", "message"),
    [
        ("logspace", "[1, 2]", "takes"),
        ("logspace", "[0, 1, 3]", "of one sign"),
        ("logspace", "[-1, 1, 3]", "of one sign"),
        ("logspace", "[1, 2, 2.5]", "whole number, not 2.5"),
        ("logspace", "[1, 2, 1]", "count of 2 or more"),
        ("linspace", "[1, x, 3]", "numbers"),
        ("linspace", "[1, true, 3]", "numbers"),
        ("linspace", "[1, .inf, 3]", "numbers"),
        ("linspace", "{a: 1}", "numbers"),
        ("linspace", "[0, 1, 99999999]", "1000000 are the most"),
        ("range", "[0, 1, 0.1]", "see linspace"),
        ("range", "[0, 1, 0]", "a step other than 0"),
        ("range", "[1, 2, 3, 4]", "numbers"),
        ("range", "[]", "numbers"),
        ("range", "1000000000000", "1000000 are the most"),
        ("repeat", "[1, 2]", "a count"),
        ("repeat", "1.5", "whole number"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(operator, argument, message):
    with pytest.raises(SweepError, match=message):
        texts(operator, argument)


@pytest.mark.parametrize(
    ("operator", "argument", "expected"),
    [
        ("logspace", "[1e-4, 1e-1, 4]", ["0.0001", "0.001", "0.01", "0.1"]),
        ("logspace", "[1, 1000, 4]", ["1", "10", "100", "1000"]),
        ("logspace", "[-1, -4, 3]", ["-1", "-2", "-4"]),
        ("logspace", "[1e-8, 1e-6, 3]", ["1e-8", "1e-7", "1e-6"]),
        ("linspace", "[0, 1, 5]", ["0", "0.25", "0.5", "0.75", "1"]),
        ("linspace", "[0.1, 0.3, 3]", ["0.1", "0.2", "0.3"]),
        ("linspace", "[5, 5, 1]", ["5"]),
        ("linspace", "[10, 0, 3]", ["10", "5", "0"]),
        ("range", "[0, 10, 4]", ["0", "4", "8"]),
        ("range", "[3, 0, -1]", ["3", "2", "1"]),
        ("range", "3", ["0", "1", "2"]),
        ("range", "[2, 4]", ["2", "3"]),
        ("range", "[3, 3]", []),
        ("repeat", "3", ["0", "1", "2"]),
    ],
)
def test_numbers_are_written_as_a_person_would(operator, argument, expected):
    assert texts(operator, argument) == expected


positive = st.floats(1e-9, 1e9)


@given(st.sampled_from(["linspace", "logspace"]), positive, positive, st.integers(2, 30))
def test_the_ends_are_exact_and_the_values_between_in_order(operator, first, last, count):
    from runx.sweeps.scalars import scalar

    spread = OPERATORS[operator]([scalar(repr(first)), scalar(repr(last)), scalar(str(count))])
    values = [item.value for item in spread if isinstance(item, Scalar)]
    assert (len(values), values[0], values[-1]) == (count, first, last)
    ordered = sorted((first, last))
    assert all(ordered[0] * (1 - 1e-9) <= value <= ordered[1] * (1 + 1e-9) for value in values)
    if last > first * 1.001:
        assert all(one < other for one, other in pairwise(values))
