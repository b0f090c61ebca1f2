"""The operators of HPARAMS: what a mapping such as ``{logspace: [1e-4, 1e-1, 4]}`` stands for.

To add one, write a function from the operator's argument to the list of values, and its entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from runx.errors import SweepError
from runx.sweeps.scalars import number, scalar, written
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


Quantile: TypeAlias = "Callable[[float], Node]"
"""Gives a value for a number drawn evenly from [0, 1)."""


_DIGITS = 6


def drawn(name: str, operator: str, argument: Node, samples: int, seed: int | str) -> list[Node]:
    """Draw an axis, whatever other axes there are; more samples begin with the same.

    >>> from runx.sweeps.scalars import scalar
    >>> one, two, three = drawn("seed", "randint", [scalar("1"), scalar("9")], 3, 0)
    >>> drawn("seed", "randint", [scalar("1"), scalar("9")], 2, 0) == [one, two]
    True
    """
    import random

    quantile = DRAWS[operator](argument)
    source = random.Random(f"{seed}:{name}")
    return [quantile(source.random()) for _ in range(samples)]


def uniform(argument: Node) -> Quantile:
    """Draw evenly between two ends.

    >>> from runx.sweeps.scalars import scalar
    >>> uniform([scalar("1"), scalar("3")])(0.25)
    Scalar(value=1.5, text='1.5', plain=True)
    """
    low, high = _ends(argument)
    return lambda part: _rounded(low + (high - low) * part, high - low, low, high)


def loguniform(argument: Node) -> Quantile:
    """Draw between two ends so that each order of magnitude is as likely.

    >>> from runx.sweeps.scalars import scalar
    >>> loguniform([scalar("1e-4"), scalar("1")])(0.5)
    Scalar(value=0.01, text='0.01', plain=True)
    """
    low, high = _ends(argument)
    if low <= 0:
        raise SweepError("takes [low, high], both above 0")

    def quantile(part: float) -> Node:
        value = low * (high / low) ** part
        return _rounded(value, value, low, high)

    return quantile


def normal(argument: Node) -> Quantile:
    """Draw from the normal distribution.

    >>> from runx.sweeps.scalars import scalar
    >>> normal([scalar("10"), scalar("2")])(0.5)
    Scalar(value=10, text='10', plain=True)
    """
    from statistics import NormalDist

    mean, deviation = numbers(argument, "[mean, deviation]", 2)
    if deviation <= 0:
        raise SweepError("takes [mean, deviation], the deviation above 0")
    bell = NormalDist(mean, deviation)
    # 0 has no quantile; random() gives it once in 2 ** 53 draws.
    return lambda part: _rounded(bell.inv_cdf(part or 2**-54), deviation, -math.inf, math.inf)


def randint(argument: Node) -> Quantile:
    """Draw a whole number, both ends included.

    >>> from runx.sweeps.scalars import scalar
    >>> randint([scalar("1"), scalar("6")])(0.999).value
    6
    """
    low, high = _ends(argument)
    if low != int(low) or high != int(high):
        raise SweepError("takes [low, high], whole numbers")
    first, count = int(low), int(high) - int(low) + 1
    return lambda part: number(first + min(int(part * count), count - 1))


def choice(argument: Node) -> Quantile:
    """Draw one of a list.

    >>> from runx.sweeps.scalars import scalar
    >>> choice([scalar("sgd"), scalar("adam")])(0.7).value
    'adam'
    """
    if not isinstance(argument, list) or not argument:
        raise SweepError("takes a list of values")
    return lambda part: argument[int(part * len(argument))]


DRAWS: Mapping[str, Callable[[Node], Quantile]] = {
    "choice": choice,
    "loguniform": loguniform,
    "normal": normal,
    "randint": randint,
    "uniform": uniform,
}
"""What a mapping of one key may name to have a hyperparameter drawn SAMPLES times."""


def _ends(argument: Node) -> tuple[float, float]:
    low, high = numbers(argument, "[low, high]", 2)
    if low > high:
        raise SweepError("takes [low, high], the lower first")
    return low, high


def _rounded(value: float, scale: float, low: float, high: float) -> Scalar:
    """Round to what matters at a scale: nobody reads seventeen digits in a run's name."""
    places = _DIGITS - math.floor(math.log10(abs(scale))) if scale else _DIGITS
    return number(float(min(max(round(value, places), low), high)), 17)
