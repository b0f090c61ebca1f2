"""The operators of HPARAMS: what a mapping such as ``{logspace: [1e-4, 1e-1, 4]}`` stands for.

To add one, write a function from the operator's argument to the list of values, and its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from runx.errors import SweepError
from runx.language.numbertext import number, written
from runx.language.scalars import scalar
from runx.sweeps.values import Node, Scalar

Operator: TypeAlias = "Callable[[Node], list[Node]]"

_MOST = 1_000_000


def numbers(argument: Node, spelling: str, fewest: int, most: int = 0) -> list[float]:
    """Read the numbers that an operator is given, one by itself or a list of them.

    >>> numbers([scalar("1e-4"), scalar("2")], "[first, last]", 2)
    [0.0001, 2]
    >>> numbers([scalar("x")], "[first, last]", 2)
    Traceback (most recent call last):
    runx.errors.SweepError: takes [first, last], numbers
    """
    items = argument if isinstance(argument, list) else [argument]
    given = [item.value for item in items if isinstance(item, Scalar)]
    found = [value for value in given if isinstance(value, (int, float)) and _is_finite(value)]
    if len(found) != len(items) or not fewest <= len(found) <= max(fewest, most):
        raise SweepError(f"takes {spelling}, numbers")
    return found


def linspace(argument: Node) -> list[Node]:
    """Space values evenly from the first to the last, both included.

    >>> [item.text for item in linspace([scalar("0"), scalar("1"), scalar("5")])]
    ['0', '0.25', '0.5', '0.75', '1']
    """
    first, last, count = numbers(argument, "[first, last, count]", 3)
    return _spaced(first, last, count, lambda part: first + (last - first) * part)


def logspace(argument: Node) -> list[Node]:
    """Space values evenly by ratio from the first to the last, both included.

    >>> [item.text for item in logspace([scalar("1e-4"), scalar("1e-1"), scalar("4")])]
    ['0.0001', '0.001', '0.01', '0.1']
    """
    first, last, count = numbers(argument, "[first, last, count]", 3)
    if first * last <= 0:
        raise SweepError("takes a first and a last of one sign, neither of them 0")
    return _spaced(first, last, count, lambda part: first * (last / first) ** part)


def whole_range(argument: Node) -> list[Node]:
    """Count as Python's range does: the end is not included.

    >>> [item.value for item in whole_range([scalar("0"), scalar("10"), scalar("4")])]
    [0, 4, 8]
    """
    given = [_whole(value) for value in numbers(argument, "[start, end, step], or an end", 1, 3)]
    if len(given) == 3 and given[2] == 0:
        raise SweepError("takes a step other than 0")
    counted = range(*given)
    _check_count(len(counted))
    return [scalar(str(value)) for value in counted]


def repeat(argument: Node) -> list[Node]:
    """Count from 0, for seeds.

    >>> [item.value for item in repeat(scalar("3"))]
    [0, 1, 2]
    """
    (count,) = numbers(argument, "a count", 1)
    _check_count(_whole(count))
    return [scalar(str(value)) for value in range(_whole(count))]


OPERATORS: Mapping[str, Operator] = {
    "linspace": linspace,
    "logspace": logspace,
    "range": whole_range,
    "repeat": repeat,
}
"""What a mapping of one key may name where a hyperparameter's values are expected."""


def _spaced(
    first: float, last: float, count: float, value_at: Callable[[float], float]
) -> list[Node]:
    """Give the values between two ends, which stay exactly as they were given."""
    steps = _whole(count)
    _check_count(steps)
    if steps < 1 or (steps == 1 and first != last):
        raise SweepError("takes a count of 2 or more, for the two ends")
    between = [number(float(value_at(step / (steps - 1)))) for step in range(1, steps - 1)]
    ends = [scalar(written(first)), scalar(written(last))]
    return [ends[0], *between, ends[1]] if steps > 1 else [ends[0]]


def _is_finite(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) < float("inf")


def _whole(value: float) -> int:
    if value != int(value):
        raise SweepError(f"takes a whole number, not {written(value)}; see linspace for others")
    return int(value)


def _check_count(count: int) -> None:
    if count > _MOST:
        raise SweepError(f"gives {count} values; {_MOST} are the most")
