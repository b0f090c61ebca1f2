"""What a Gaussian process expects of a point, and how much it would improve on the best known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum
from operator import mul
from typing import NamedTuple

from runx.search import gp
from runx.search.exact import dot, log, log_improvement, root
from runx.search.gp import Fit, Rows, Vector
from runx.search.observations import Known
from runx.search.space import Parts, Space

_MOST_FITTED = 60
"""So many trials, the better half and of the others every nth, tell how far the loss changes."""

_BENDS = (1e6, 1.0, 0.1)
"""How strongly losses are bent: from where on, in distances of the median from the least."""

_FAR = 4.0
"""So many distances of the median from the least all losses are told apart."""

_DOUBT = 3.0
"""So much more likely a stronger bend must be: in natural logarithms."""

_MOST_COMPARED, _FEW_STEPS, _STEPS = 32, 10, 20

_LEAST_VARIANCE = 1e-12
_LEAST_SPAN = 1e-300


class Cube(NamedTuple):
    """The dimensions of a space that can differ, as coordinates of [0, 1).

    ``options`` is the number of a dimension's options where these have no order, else 0.
    """

    places: tuple[int, ...]
    options: tuple[int, ...]

    @classmethod
    def of(cls, space: Space) -> Cube:
        """Return the cube of a space."""
        parameters = [dimension.parameter for dimension in space.dimensions]
        places = tuple(place for place, each in enumerate(parameters) if each.size != 1)
        options = [0 if parameters[at].is_ordered else parameters[at].size or 0 for at in places]
        return cls(places, tuple(options))

    def coordinates(self, parts: Parts) -> Vector:
        """Return a point's coordinates; in the middle for what isn't there in its case."""
        return [0.5 if (part := parts[place]) is None else part for place in self.places]

    def embedded(self, point: Sequence[float], roots: Sequence[float]) -> Vector:
        """Return a point where squared distances are weighted, and options equally far apart."""
        return list(self._embedded(point, roots))

    def _embedded(self, point: Sequence[float], roots: Sequence[float]) -> Iterator[float]:
        for value, options, weight in zip(point, self.options, roots, strict=True):
            if not options:
                yield value * weight
                continue
            own = int(value * options)
            for option in range(options):
                yield weight * _ROOT_HALF if option == own else 0.0


_ROOT_HALF = root(0.5)


class Posterior(NamedTuple):
    """A Gaussian process that has learnt from trials.

    What runs has no weight in ``alpha``: it changes how sure the process is, not what it expects.
    """

    cube: Cube
    roots: Vector
    points: Rows
    columns: Rows
    norms: Vector
    alpha: Vector
    inverse: Rows
    scale: float

    def near(self, embedded: Vector) -> Vector:
        """Return the roots of the kernel between a point and all others."""
        norm = dot(embedded, embedded)
        return [
            1 / (1 + max(norm + other - 2 * dot(embedded, point), 0.0) / 4)
            for point, other in zip(self.points, self.norms, strict=True)
        ]

    def means(self) -> Vector:
        """Return what is expected of all points that are known or run."""
        return [
            dot(self.alpha, [each * each for each in self.near(point)]) for point in self.points
        ]

    def gain(self, point: Sequence[float], best: float) -> float:
        """Return the logarithm of the improvement to be expected on ``best``."""
        kernel = [each * each for each in self.near(self.cube.embedded(point, self.roots))]
        deviation = root(self._variance(kernel, [dot(row, kernel) for row in self.inverse]))
        z = (best - dot(self.alpha, kernel)) / deviation
        return log_improvement(z)[0] + log(deviation)

    def slopes(self, point: Sequence[float], best: float) -> tuple[float, Vector]:
        """Return the gain and its slopes, which are 0 along dimensions without order."""
        embedded = self.cube.embedded(point, self.roots)
        near = self.near(embedded)
        kernel = [each * each for each in near]
        solved = [dot(row, kernel) for row in self.inverse]
        variance = self._variance(kernel, solved)
        deviation = root(variance)
        z = (best - dot(self.alpha, kernel)) / deviation
        gain, slope = log_improvement(z)
        # d kernel / d coordinate is -near ** 3 times the way from the other point.
        cubes = [each * each * each for each in near]
        by_mean = self._ways(embedded, list(map(mul, self.alpha, cubes)))
        by_solved = self._ways(embedded, list(map(mul, solved, cubes)))
        result = []
        for mean, spread, weight in zip(by_mean, by_solved, self.roots, strict=True):
            wider = spread * self.scale / variance
            result.append(((mean / deviation - z * wider) * slope + wider) * weight)
        return gain + log(deviation), result

    def _variance(self, kernel: Vector, solved: Vector) -> float:
        return max(1 - dot(solved, kernel), _LEAST_VARIANCE) * self.scale

    def _ways(self, embedded: Vector, weights: Vector) -> Iterator[float]:
        """Yield, for each dimension, the weighted sum of the ways from all other points."""
        total, at = fsum(weights), 0
        for options in self.cube.options:
            yield 0.0 if options else total * embedded[at] - dot(weights, self.columns[at])
            at += options or 1


def posterior(space: Space, trials: Sequence[Known], running: Sequence[Parts]) -> Posterior:
    """Return what is learnt from trials, with what runs kept in mind."""
    cube = Cube.of(space)
    known = [cube.coordinates(trial.parts) for trial in trials]
    losses, fit = _fitted(cube, known, [trial.loss for trial in trials])
    roots = list(map(root, fit.weights))
    runs = map(cube.coordinates, running)
    points = [cube.embedded(point, roots) for point in (*known, *runs)]
    rows = _kernel(points, fit.noise)
    learnt = gp.full(gp.inverse(gp.triangle(rows[: len(known)])))
    alpha = [dot(row, losses) for row in learnt]
    scale = max(dot(alpha, losses) / len(known), _LEAST_VARIANCE)
    inverse = gp.full(gp.inverse(gp.triangle(rows))) if running else learnt
    norms = [dot(point, point) for point in points]
    columns = [list(column) for column in zip(*points, strict=True)]
    alpha += [0.0] * len(running)
    return Posterior(cube, roots, points, columns, norms, alpha, inverse, scale)


def _kernel(points: Rows, noise: float) -> Rows:
    norms = [dot(point, point) for point in points]
    rows = []
    for place, point in enumerate(points):
        row = []
        for other in range(place):
            apart = max(norms[place] + norms[other] - 2 * dot(point, points[other]), 0.0)
            near = 1 / (1 + apart / 4)
            row.append(near * near)
        rows.append([*row, 1 + noise])
    return rows


def _fitted(cube: Cube, points: Rows, losses: Vector) -> tuple[Vector, Fit]:
    """Return the losses as they are learnt from, and the kernel that fits them."""
    bend = _likely_bend(cube, points, losses)
    bent = _standard(_bent(losses, bend))[0]
    chosen = telling(losses, _MOST_FITTED)
    return bent, _fit(cube, points, bent, chosen, _STEPS)


def _fit(cube: Cube, points: Rows, values: Vector, chosen: Sequence[int], steps: int) -> Fit:
    is_ordered = [not options for options in cube.options]
    apart = gp.distances([points[place] for place in chosen], is_ordered)
    return gp.fitted(apart, [values[place] for place in chosen], steps)


def _likely_bend(cube: Cube, points: Rows, losses: Vector) -> float:
    """Return how strongly losses are to be bent, as is most likely.

    Far above the least they may differ by orders of magnitude, which would hide what matters.
    """
    chosen = telling(losses, _MOST_COMPARED)
    found = []
    for place, bend in enumerate(_BENDS):
        values = _bent(losses, bend)
        standard, deviation = _standard(values)
        fit = _fit(cube, points, standard, chosen, _FEW_STEPS)
        # The density of the losses is that of the values times their slope, exp(-value) / bend.
        slopes = fsum(values[place] for place in chosen) + len(chosen) * log(bend * deviation)
        found.append((fit.unlikeliness + slopes + _DOUBT * place, bend))
    return min(found)[1]


def _bent(losses: Vector, bend: float) -> Vector:
    """Return losses bent by a logarithm, from a distance above the least on."""
    least = min(losses)
    above = [loss - least for loss in losses]
    middle = sorted(above)[len(above) // 2] or max(above)
    # How bad the bad ones are, where training diverges, says nothing of the good ones.
    above = [min(each, _FAR * middle) for each in above]
    span = max(middle * bend, _LEAST_SPAN)
    return [log(1 + each / span) for each in above]


def telling(losses: Sequence[float], most: int) -> list[int]:
    """Return the places of so many losses at most: the better half, and of the others every nth.

    >>> telling([5, 1, 4, 2, 3, 6], 4)
    [0, 1, 3, 4]
    """
    order = sorted(range(len(losses)), key=lambda place: (losses[place], place))
    if len(order) > most:
        half = most // 2
        rest = order[half:]
        order = order[:half] + [rest[place * len(rest) // half] for place in range(half)]
    return sorted(order)


def _standard(values: Vector) -> tuple[Vector, float]:
    mean = fsum(values) / len(values)
    deviation = root(fsum((value - mean) ** 2 for value in values) / len(values)) or 1.0
    return [(value - mean) / deviation for value in values], deviation
