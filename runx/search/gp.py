"""A Gaussian process: how the loss depends on a point, learnt from few trials, in plain Python.

The kernel is the rational quadratic one of order 2, which needs no exponential. Its length scales,
one for each dimension, and the noise are those that are most likely, by gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum, sqrt
from operator import add
from typing import NamedTuple, TypeAlias

from runx.search.exact import dot, exp, log

Vector: TypeAlias = "list[float]"
Rows: TypeAlias = "list[Vector]"
"""The rows of a lower triangle, the diagonal included."""

_LEAST_PIVOT = 1e-13
_LEAST_VARIANCE = 1e-12
_FIRST_STEP, _LONGEST_STEP = 0.4, 1.0

# log(length ** -2) is likely near that of half the diagonal of the cube; log(noise) near 1e-4.
_LIKELY_LENGTH, _SPREAD, _FARTHEST = 0.5, 1.4, 6.0
_LIKELY_NOISE, _NOISE_SPREAD = -9.0, 3.0
_LEAST_NOISE, _MOST_NOISE = -21.0, 0.0


class Fit(NamedTuple):
    """What was learnt of the kernel: a weight (length ** -2) for each dimension, and the noise.

    ``unlikeliness`` is the negative logarithm of how likely the values are then, to a constant.
    """

    weights: Vector
    noise: float
    unlikeliness: float


def triangle(matrix: Rows) -> Rows:
    """Return the Cholesky factor of a matrix that is given by its lower triangle.

    >>> triangle([[4.0], [2.0, 5.0]])
    [[2.0], [1.0, 2.0]]
    """
    factor: Rows = []
    for row in matrix:
        own: Vector = []
        for place in range(len(row) - 1):
            above = factor[place]
            own.append((row[place] - dot(own, above)) / above[place])
        own.append(sqrt(max(row[-1] - dot(own, own), _LEAST_PIVOT)))
        factor.append(own)
    return factor


def inverse(factor: Rows) -> Rows:
    """Return the lower triangle of the inverse of a matrix, from its Cholesky factor.

    >>> inverse([[2.0], [1.0, 2.0]])
    [[0.3125], [-0.125, 0.25]]
    """
    size = len(factor)
    columns: Rows = []
    for start in range(size):
        column = [1 / factor[start][start]]
        for row in factor[start + 1 :]:
            column.append(-dot(row[start:], column) / row[-1])
        columns.append(column)
    return [
        [dot(columns[row], columns[column][row - column :]) for column in range(row + 1)]
        for row in range(size)
    ]


def full(rows: Rows) -> Rows:
    """Return all rows of a symmetric matrix that is given by its lower triangle."""
    size = len(rows)
    return [
        [*rows[row], *(rows[below][row] for below in range(row + 1, size))] for row in range(size)
    ]


def distances(points: Sequence[Sequence[float]], is_ordered: Sequence[bool]) -> list[Rows]:
    """Return, for each dimension, the squared distances of each point from those before it."""
    columns = [list(column) for column in zip(*points, strict=True)]
    return [
        [
            [(one - other) ** 2 if ordered else float(one != other) for other in column[:place]]
            for place, one in enumerate(column)
        ]
        for column, ordered in zip(columns, is_ordered, strict=True)
    ]


def _squared(value: float) -> float:
    return value * value


def _pairs(apart: list[Rows]) -> list[list[tuple[float, ...]]]:
    """Return the squared distances along all dimensions, for each point and those before it."""
    return [list(zip(*rows, strict=True)) for rows in zip(*apart, strict=True)]


def fitted(apart: list[Rows], values: Vector, steps: int) -> Fit:
    """Return the weights and the noise for which values are most likely."""
    width = len(apart)
    likely = -2 * log(_LIKELY_LENGTH) - log(width)
    pairs = _pairs(apart)
    flat = [[each for row in rows for each in row] for rows in apart]
    centers = [likely] * width + [_LIKELY_NOISE]
    spreads = [_SPREAD] * width + [_NOISE_SPREAD]

    def loss(logs: Vector) -> tuple[float, Vector]:
        value, slopes = _unlikeliness(pairs, flat, values, list(map(exp, logs)))
        off = [(each - c) / s for each, c, s in zip(logs, centers, spreads, strict=True)]
        pulls = [each / spread for each, spread in zip(off, spreads, strict=True)]
        return value + dot(off, off) / 2, list(map(add, slopes, pulls))

    low = [likely - _FARTHEST] * width + [_LEAST_NOISE]
    high = [likely + _FARTHEST] * width + [_MOST_NOISE]
    least, best = descended(loss, centers, low, high, steps, _FIRST_STEP, _LONGEST_STEP)
    *weights, noise = map(exp, best)
    return Fit(weights, noise, least)


def _unlikeliness(
    pairs: list[list[tuple[float, ...]]], flat: Rows, values: Vector, scales: Vector
) -> tuple[float, Vector]:
    """Return the negative log likelihood at weights and a noise, and its slopes by their logs.

    The variance of all is the most likely one (Rasmussen and Williams, 2006, 5.4).
    """
    *weights, noise = scales
    near = [[1 / (1 + dot(weights, pair) / 4) for pair in row] for row in pairs]
    factor = triangle([[*map(_squared, row), 1 + noise] for row in near])
    inverted = inverse(factor)
    alpha = [dot(row, values) for row in full(inverted)]
    variance = max(dot(alpha, values) / len(values), _LEAST_VARIANCE)
    loss = len(values) / 2 * log(variance) + fsum(log(row[-1]) for row in factor)
    # What changes with the kernel, times what the kernel changes with the distance.
    outer = [
        (inverted[row][column] - alpha[row] * alpha[column] / variance) * each * each * each / -2
        for row, kernels in enumerate(near)
        for column, each in enumerate(kernels)
    ]
    slopes = [weight * dot(outer, each) for weight, each in zip(weights, flat, strict=True)]
    ends = (row[-1] - a * a / variance for row, a in zip(inverted, alpha, strict=True))
    return loss, [*slopes, noise / 2 * fsum(ends)]


def descended(
    function: Callable[[Vector], tuple[float, Vector]],
    start: Vector,
    low: Vector,
    high: Vector,
    steps: int,
    first: float,
    longest: float,
) -> tuple[float, Vector]:
    """Return the least value, and its point, on the way down a function that gives its slopes.

    Each coordinate has a step of its own, longer while its slope keeps its sign, shorter once that
    changes (Rprop: Riedmiller and Braun, 1993).
    """
    point, sizes, before = list(start), [first] * len(start), [0.0] * len(start)
    best, least = point, float("inf")
    for _ in range(steps):
        value, slopes = function(point)
        if value < least:
            best, least = point, value
        point = list(point)
        for place, slope in enumerate(slopes):
            turn = slope * before[place]
            if turn > 0:
                sizes[place] = min(sizes[place] * 1.3, longest)
            elif turn < 0:
                sizes[place] *= 0.4
            before[place] = slope
            move = sizes[place] if slope < 0 else -sizes[place] if slope > 0 else 0.0
            point[place] = min(max(point[place] + move, low[place]), high[place])
    return least, best
