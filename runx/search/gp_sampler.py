"""The sampler ``gp``: the point where a Gaussian process expects most improvement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from runx.search.gp import Vector, descended
from runx.search.observations import Known
from runx.search.posterior import Posterior, posterior, telling
from runx.search.space import Parts, Space
from runx.search.tpe import near

_MOST_KNOWN = 120
_DRAWN, _AROUND = 150, 100
_CLIMBED, _STEPS = 4, 30
_BASES = 8
_WIDTHS = (0.2, 0.06, 0.02, 0.006)
_FIRST_STEP, _LONGEST_STEP = 0.03, 0.2
_APART = 1e-5
_BELOW_ONE = 1 - 2**-53


def gp_parts(
    space: Space, trials: Sequence[Known], running: Sequence[Parts], source: Random
) -> Iterator[Parts]:
    """Yield the parts of points, the most promising first."""
    trials = [trials[place] for place in telling([each.loss for each in trials], _MOST_KNOWN)]
    learnt = posterior(space, trials, running)
    means = learnt.means()
    best = min(means)
    order = sorted(range(len(means)), key=lambda place: (means[place], place))
    known = [trial.parts for trial in trials] + list(running)
    bases = [known[place] for place in order[:_BASES]]
    candidates = [*_anywhere(space, source), *_around(space, bases, source)]
    scored = [(_gain(learnt, parts, best), parts) for parts in candidates if space.is_open(parts)]
    scored.sort(key=lambda pair: -pair[0])
    climbed = [_climbed(space, learnt, parts, best, source) for _, parts in scored[:_CLIMBED]]
    yield from (parts for _, parts in sorted(climbed + scored, key=lambda pair: -pair[0]))


def _gain(learnt: Posterior, parts: Parts, best: float) -> float:
    return learnt.gain(learnt.cube.coordinates(parts), best)


def _anywhere(space: Space, source: Random) -> Iterator[Parts]:
    for _ in range(_DRAWN):
        yield space.filled(iter([source.random() for _ in space.dimensions]))


def _around(space: Space, bases: Sequence[Parts], source: Random) -> Iterator[Parts]:
    """Yield points around the best, more of them around the very best."""
    for _ in range(_AROUND):
        draw = source.random()
        base = bases[int(draw * draw * len(bases))]
        yield near(space, base, _WIDTHS[int(source.random() * len(_WIDTHS))], source)


def _climbed(
    space: Space, learnt: Posterior, parts: Parts, best: float, source: Random
) -> tuple[float, Parts]:
    """Return where one comes to by going up from a point, and what is to be gained there."""
    places = learnt.cube.places

    def loss(point: Vector) -> tuple[float, Vector]:
        gain, slopes = learnt.slopes(point, best)
        pairs = zip(places, slopes, strict=True)
        return -gain, [0.0 if parts[place] is None else -slope for place, slope in pairs]

    start = learnt.cube.coordinates(parts)
    low, high = [0.0] * len(start), [_BELOW_ONE] * len(start)
    _, top = descended(loss, start, low, high, _STEPS, _FIRST_STEP, _LONGEST_STEP)
    moved = dict(zip(places, top, strict=True))
    own = tuple(
        None if part is None else moved.get(place, part) for place, part in enumerate(parts)
    )
    # Trials that are asked for at once, and know nothing of each other, would meet at the top.
    result = near(space, own, _APART, source, change=0.0)
    if not space.is_open(result):
        return float("-inf"), parts
    return _gain(learnt, result, best), result
