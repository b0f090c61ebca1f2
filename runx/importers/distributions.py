"""Distributions without an operator of HPARAMS, as values that are equally likely."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from statistics import NormalDist
from typing import Any

_COUNT = 32
"""How many equally likely values stand for a distribution that has no operator."""


def likely(quantile: Callable[[float], Any], count: int = _COUNT) -> list[Any]:
    """Return equally likely values of a distribution, given by its quantile function.

    >>> likely(lambda part: round(part * 4), 4)
    [0, 2, 2, 4]
    """
    return [quantile((place + 0.5) / count) for place in range(count)]


def weighted(values: Sequence[Any], weights: Sequence[float], count: int = _COUNT) -> list[Any]:
    """Return values as often as they are likely.

    >>> weighted(["a", "b"], [3, 1], 4)
    ['a', 'a', 'a', 'b']
    """
    sums = list(accumulate(weights))
    return likely(
        lambda part: values[min(bisect_right(sums, part * sums[-1]), len(sums) - 1)], count
    )


def quantised(quantile: Callable[[float], float], step: float) -> Callable[[float], Any]:
    """Return the quantiles of a distribution whose values are rounded to multiples of a step.

    >>> quantised(lambda part: 100 * part, 8)(0.5)
    48
    """

    def rounded(part: float) -> Any:
        value = round(quantile(part) / step) * step
        return round(value, 12) if isinstance(step, float) else value

    return rounded


def uniform(low: float, high: float) -> Callable[[float], float]:
    """Return the quantiles of numbers between two ends."""
    return lambda part: low + (high - low) * part


def loguniform(low: float, high: float) -> Callable[[float], float]:
    """Return the quantiles of numbers between two ends, evenly by ratio."""
    return lambda part: low * (high / low) ** part


def normal(mean: float, deviation: float) -> Callable[[float], float]:
    """Return the quantiles of numbers around a mean."""
    return NormalDist(mean, deviation).inv_cdf


def lognormal(mean: float, deviation: float) -> Callable[[float], float]:
    """Return the quantiles of numbers whose logarithms lie around a mean."""
    inner = normal(mean, deviation)
    return lambda part: float(f"{math.exp(inner(part)):.6g}")
