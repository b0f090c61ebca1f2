"""Random axes: what ``{loguniform: [1e-5, 1e-1]}`` draws, the same for the same SEED for ever.

To add one, write a function from its argument to a function of a number in [0, 1), and its entry.
Python promises to give the same random() for a seed in all versions; it promises that of no other
method, so that everything here is worked out from such numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from runx.errors import SweepError
from runx.language.numbertext import number
from runx.sweeps.operators import numbers
from runx.sweeps.values import Node, Scalar

Quantile: TypeAlias = "Callable[[float], Node]"
"""Gives a value for a number drawn evenly from [0, 1)."""

_DIGITS = 6


def drawn(name: str, operator: str, argument: Node, samples: int, seed: int | str) -> list[Node]:
    """Draw an axis, whatever other axes there are; more samples begin with the same.

    >>> from runx.language.scalars import scalar
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

    >>> from runx.language.scalars import scalar
    >>> uniform([scalar("1"), scalar("3")])(0.25)
    Scalar(value=1.5, text='1.5', plain=True)
    """
    low, high = _ends(argument)
    return lambda part: _rounded(low + (high - low) * part, high - low, low, high)


def loguniform(argument: Node) -> Quantile:
    """Draw between two ends so that each order of magnitude is as likely.

    >>> from runx.language.scalars import scalar
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

    >>> from runx.language.scalars import scalar
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

    >>> from runx.language.scalars import scalar
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

    >>> from runx.language.scalars import scalar
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
