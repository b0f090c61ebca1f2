"""The operators of HPARAMS: spaced values, as ``{logspace: [1e-4, 1e-1, 4]}``, and random draws.

To add one, write a function from the operator's argument to the list of values, or to a quantile
function, and its entry in OPERATORS or in DRAWS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from runx.errors import SweepError
from runx.sweeps.ranges import RANGES, Range, is_finite, numbers, rounded
from runx.sweeps.scalars import number, scalar, written
from runx.sweeps.values import Node

Operator: TypeAlias = "Callable[[Node], list[Node]]"
"""Returns the values that an argument stands for."""

Quantile: TypeAlias = "Callable[[float], Node]"
"""Returns the value of a distribution for a number drawn evenly from [0, 1)."""

_MOST = 1_000_000

TOO_FAR = "takes numbers that are nearer to each other"
"""The error where a result is beyond any float."""


def linspace(argument: Node) -> list[Node]:
    """Return values spaced evenly from the first to the last, both included.

    >>> [item.text for item in linspace([scalar("0"), scalar("1"), scalar("5")])]
    ['0', '0.25', '0.5', '0.75', '1']
    """
    first, last, count = numbers(argument, "[first, last, count]", 3)
    return _spaced(first, last, count, lambda part: first + (last - first) * part)


def logspace(argument: Node) -> list[Node]:
    """Return values spaced evenly by ratio from the first to the last, both included.

    >>> [item.text for item in logspace([scalar("1e-4"), scalar("1e-1"), scalar("4")])]
    ['0.0001', '0.001', '0.01', '0.1']
    """
    first, last, count = numbers(argument, "[first, last, count]", 3)
    if first * last <= 0:
        raise SweepError("takes a first and a last of one sign, neither of them 0")
    return _spaced(first, last, count, lambda part: first * (last / first) ** part)


def integer_range(argument: Node) -> list[Node]:
    """Return the numbers of Python's range: the end is not included.

    >>> [item.value for item in integer_range([scalar("0"), scalar("10"), scalar("4")])]
    [0, 4, 8]
    """
    limits = [_integer(value) for value in numbers(argument, "[start, end, step], or an end", 1, 3)]
    if len(limits) == 3 and limits[2] == 0:
        raise SweepError("takes a step other than 0")
    values = range(*limits)
    _check_count(len(values))
    return [scalar(str(value)) for value in values]


def repeat(argument: Node) -> list[Node]:
    """Return the numbers from 0 on, as many as the argument says, for seeds.

    >>> [item.value for item in repeat(scalar("3"))]
    [0, 1, 2]
    """
    (count,) = numbers(argument, "a count", 1)
    _check_count(_integer(count))
    return [scalar(str(value)) for value in range(_integer(count))]


OPERATORS: Mapping[str, Operator] = {
    "linspace": linspace,
    "logspace": logspace,
    "range": integer_range,
    "repeat": repeat,
}
"""What a mapping of one key may name where a hyperparameter's values are expected."""


def drawn(name: str, operator: str, argument: Node, samples: int, seed: int | str) -> list[Node]:
    """Return random values of an axis. They depend on its name and the seed, on no other axis.

    More samples begin with the same values.

    >>> from runx.sweeps.scalars import scalar
    >>> values = drawn("seed", "randint", [scalar("1"), scalar("9")], 3, 0)
    >>> drawn("seed", "randint", [scalar("1"), scalar("9")], 2, 0) == values[:2]
    True
    """
    import random

    _check_count(samples)
    quantile = DRAWS[operator](argument)
    source = random.Random(f"{seed}:{name}")
    return [quantile(source.random()) for _ in range(samples)]


def normal(argument: Node) -> Quantile:
    """Return the normal distribution of a mean and a standard deviation.

    >>> from runx.sweeps.scalars import scalar
    >>> normal([scalar("10"), scalar("2")])(0.5)
    Scalar(value=10, text='10', plain=True)
    """
    from statistics import NormalDist

    mean, deviation = numbers(argument, "[mean, deviation]", 2)
    if deviation <= 0:
        raise SweepError("takes [mean, deviation], the deviation above 0")
    quantile = NormalDist(mean, deviation).inv_cdf
    # 0 has no quantile; random() returns it once in 2 ** 53 draws.
    return lambda part: rounded(quantile(part or 2**-54), deviation, -math.inf, math.inf)


def choice(argument: Node) -> Quantile:
    """Return the distribution of the items of a list, equally likely.

    >>> from runx.sweeps.scalars import scalar
    >>> choice([scalar("sgd"), scalar("adam")])(0.7).value
    'adam'
    """
    if not isinstance(argument, list) or not argument:
        raise SweepError("takes a list of values")
    return lambda part: argument[int(part * len(argument))]


def _drawn_from(range_of: Callable[[Node], Range]) -> Callable[[Node], Quantile]:
    return lambda argument: range_of(argument).value


DRAWS: Mapping[str, Callable[[Node], Quantile]] = {
    "choice": choice,
    **{name: _drawn_from(range_of) for name, range_of in RANGES.items()},
    "normal": normal,
}
"""What a mapping of one key may name to have a hyperparameter drawn SAMPLES times."""


def _spaced(
    first: float, last: float, count: float, value_at: Callable[[float], float]
) -> list[Node]:
    """Return the values between two ends, which stay exactly as they were given."""
    steps = _integer(count)
    _check_count(steps)
    if steps < 1 or (steps == 1 and first != last):
        raise SweepError("takes a count of 2 or more, for the two ends")
    values = [float(value_at(step / (steps - 1))) for step in range(1, steps - 1)]
    if not all(map(is_finite, values)):
        raise OverflowError
    between = [number(value) for value in values]
    ends = [scalar(written(first)), scalar(written(last))]
    return [ends[0], *between, ends[1]] if steps > 1 else [ends[0]]


def _integer(value: float) -> int:
    if value != int(value):
        raise SweepError(f"takes a whole number, not {written(value)}; see linspace for others")
    return int(value)


def _check_count(count: int) -> None:
    if count > _MOST:
        raise SweepError(f"gives {count} values; {_MOST} are the most")
