"""What a search has seen: the end of each trial, and what samplers make of several of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from runx.search.space import Parts, Space, Values

End: TypeAlias = Literal["done", "pruned", "failed"]

Failed: TypeAlias = Literal["worst", "ignore"]
"""What a failed trial counts as: as bad as the worst, or as nothing."""


_LARGEST = 1e150


class Observation(NamedTuple):
    """A trial that has ended.

    ``losses`` are its objectives, less of each being better: a metric to be maximised has its sign
    changed. Of a pruned trial they are what it had reached at the ``rung``, the epoch that ended
    it; those of a failed one don't count.
    """

    number: int
    values: Values
    losses: tuple[float, ...]
    state: End = "done"
    rung: float | None = None


class Seed(NamedTuple):
    """What a point's randomness comes from: the search's name and SEED, and the trial's number."""

    search: str
    trial: int

    def random(self) -> Random:
        """Return a source that is the same for the same seed and trial, on every machine."""
        return Random(f"{self.search}:{self.trial}")


class Known(NamedTuple):
    """A trial as samplers see it: where it lies, and its loss."""

    parts: Parts
    loss: float


def known(
    space: Space, observations: Iterable[Observation], seed: Seed, failed: Failed = "worst"
) -> list[Known]:
    """Return the trials that a sampler learns from, in the order of their numbers.

    Those that lie outside of the space don't count. Several objectives are made one by weights
    that are drawn anew for each trial, so that points all along the front are asked for (ParEGO:
    Knowles, 2006).
    """
    inside = [(each, space.parts(each.values)) for each in ordered(observations)]
    found = [(each, parts) for each, parts in inside if parts is not None]
    width = objectives(each for each, _ in found)
    good = [each.losses for each, _ in found if is_counted(each, width)]
    losses = iter(_scalar(good, seed) if width > 1 else [_bounded(each[0]) for each in good])
    trials = [(parts, next(losses) if is_counted(each, width) else None) for each, parts in found]
    worst = max((loss for _, loss in trials if loss is not None), default=None)
    if failed == "ignore":
        worst = None
    counted = ((parts, worst if loss is None else loss) for parts, loss in trials)
    return [Known(parts, loss) for parts, loss in counted if loss is not None]


def _bounded(loss: float) -> float:
    """Return a loss that can be taken from another without an overflow."""
    return min(max(loss, -_LARGEST), _LARGEST)


def ordered(observations: Iterable[Observation]) -> list[Observation]:
    """Return observations in one order, whatever theirs is: by number, then by what they hold."""
    return sorted(observations, key=lambda each: (each.number, repr(each.losses), _text(each)))


def _text(observation: Observation) -> str:
    return repr(sorted(observation.values.items(), key=lambda item: item[0]))


def objectives(observations: Iterable[Observation]) -> int:
    """Return how many objectives a search has: as many as any trial; 1 where none has ended."""
    return max([1, *(len(each.losses) for each in observations)])


def is_counted(observation: Observation, width: int) -> bool:
    """Return whether a trial has not failed and has as many losses as others, all of them numbers.

    >>> is_counted(Observation(0, {}, (float("nan"),)), 1)
    False
    """
    if observation.state == "failed" or len(observation.losses) != width:
        return False
    return all(map(isfinite, observation.losses))


def _scalar(losses: Sequence[Sequence[float]], seed: Seed) -> list[float]:
    """Return one loss for each trial: the worst of its weighted ranks, and a little of all."""
    source = seed.random()
    columns = [_ranks(column) for column in zip(*losses, strict=True)]
    weights = [source.random() + 1e-3 for _ in columns]
    return [
        max(weight * rank for weight, rank in zip(weights, ranks, strict=True)) + sum(ranks) / 20
        for ranks in zip(*columns, strict=True)
    ]


def _ranks(values: Sequence[float]) -> list[float]:
    """Return how many of the values are less than each, as a share.

    >>> _ranks([5.0, 1.0, 1.0])
    [1.0, 0.0, 0.0]
    """
    first: dict[float, int] = {}
    for place, value in enumerate(sorted(values)):
        first.setdefault(value, place)
    return [first[value] / max(len(values) - 1, 1) for value in values]


def front(losses: Sequence[Sequence[float]]) -> list[int]:
    """Return the places of those that no other is better than: the Pareto front.

    >>> front([(1, 5), (2, 2), (3, 3), (5, 1)])
    [0, 1, 3]
    """
    found: list[int] = []
    # What beats another one stands before it in this order, and so does what beats that.
    for place in sorted(range(len(losses)), key=lambda place: tuple(losses[place])):
        if not any(_beats(losses[other], losses[place]) for other in found):
            found.append(place)
    return sorted(found)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(own <= its for own, its in pairs) and any(own < its for own, its in pairs)
