"""The sampler ``tpe``: points that are likely among good trials and unlikely among the others.

Tree-structured Parzen estimators (Bergstra et al., 2011), of whole points rather than of each
parameter apart: a kernel around each trial (Falkner et al., 2018). It costs little with thousands
of trials, and minds no parameter that is there in some cases alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from runx.search.exact import exp, log
from runx.search.observations import Known
from runx.search.space import Parts, Space

_GOOD_SHARE, _MOST_GOOD = 0.15, 25
_MOST_OTHERS = 60
_DRAWN = 32
_WIDEST, _NARROWEST = 0.5, 0.02
_PRIOR = 1.0
_LEAST_CHANGE = 0.15


class Mixture(NamedTuple):
    """Kernels around points: each ordered part has a width, any other a share that is kept."""

    space: Space
    centers: Sequence[Parts]
    width: float

    def drawn(self, source: Random) -> Parts:
        """Return a point near one of the centers, or now and then anywhere."""
        place = int(source.random() * (len(self.centers) + _PRIOR))
        anywhere: Parts = (None,) * len(self.space.dimensions)
        center = self.centers[place] if place < len(self.centers) else anywhere
        return near(self.space, center, self.width, source, max(self.width, _LEAST_CHANGE))

    def density(self, parts: Parts) -> float:
        """Return the density of the mixture at a point, to a factor that all points share."""
        total = _PRIOR
        for center in self.centers:
            total += self._kernel(center, parts)
        return total / (len(self.centers) + _PRIOR)

    def _kernel(self, center: Parts, parts: Parts) -> float:
        square, factor = 0.0, 1.0
        for own, other, dimension in zip(center, parts, self.space.dimensions, strict=True):
            if own is None or other is None:
                continue
            if dimension.parameter.is_ordered:
                square += (own - other) ** 2
                factor *= 0.4 / self.width
            else:
                options = dimension.parameter.size or 1
                change = max(self.width, _LEAST_CHANGE)
                factor *= options * (1 - change) + change if own == other else change
        return factor * exp(-square / (2 * self.width * self.width))


def near(
    space: Space, center: Parts, width: float, source: Random, change: float = _LEAST_CHANGE
) -> Parts:
    """Return a point near a center; ``change`` is how likely options without order change."""
    return space.filled(_moved(space, center, width, source, change))


def _moved(
    space: Space, center: Parts, width: float, source: Random, change: float
) -> Iterator[float]:
    for part, dimension in zip(center, space.dimensions, strict=True):
        draw = source.random()
        if part is None:
            yield draw
        elif dimension.parameter.is_ordered:
            # The sum of three even draws is near enough to a normal one, and needs no logarithm.
            yield _mirrored(part + 2 * width * (draw + source.random() + source.random() - 1.5))
        else:
            yield source.random() if draw < change else part


def _mirrored(number: float) -> float:
    """Return a number within [0, 1): what is beyond an end comes back."""
    number = abs(number)
    return min(2 - number if number > 1 else number, 1 - 2**-53) if number < 2 else 0.5


def tpe_parts(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], source: Random
) -> Iterator[Parts]:
    """Yield the parts of points, the most promising first. What runs counts as not good."""
    order = sorted(range(len(trials)), key=lambda place: (trials[place].loss, place))
    count = min(max(1, round(len(trials) * _GOOD_SHARE)), _MOST_GOOD)
    width = min(max(_WIDEST * len(trials) ** -0.4, _NARROWEST), _WIDEST) if trials else _WIDEST
    best = [trials[place].parts for place in order[:count]]
    # Of thousands the nearest to the good ones would do; of all, evenly, do as well, and cost less.
    rest = order[count:]
    stride = max(1, len(rest) // _MOST_OTHERS)
    others = [trials[place].parts for place in rest[::stride]] + list(running)
    good, bad = Mixture(space, best, width), Mixture(space, others, width)
    drawn = [good.drawn(source) for _ in range(_DRAWN)]
    scored = [(log(good.density(parts)) - log(bad.density(parts)), parts) for parts in drawn]
    yield from (parts for _, parts in sorted(scored, key=lambda pair: -pair[0]))
