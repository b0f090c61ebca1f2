"""Early stopping, decided from what others had reached at the same epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Literal, NamedTuple, TypeAlias

from runx.errors import SweepError
from runx.nearest import suggestion

Goal: TypeAlias = Literal["minimize", "maximize"]


class Verdict(NamedTuple):
    """Whether a run is to stop, and why, in words for people."""

    stops: bool
    why: str


class Asha(NamedTuple):
    """Successive halving, asynchronous (Li et al., 2020): at each rung one in ``factor`` goes on.

    The first rung is epoch ``first``, each next one ``factor`` times as far.
    """

    first: int = 1
    factor: int = 3

    def is_rung(self, epoch: int) -> bool:
        """Return whether something is decided at an epoch.

        >>> [epoch for epoch in range(30) if Asha(3, 3).is_rung(epoch)]
        [3, 9, 27]
        """
        rung = self.first
        while rung < epoch:
            rung *= self.factor
        return rung == epoch

    def rung(self, epoch: float) -> int | None:
        """Return the last epoch up to this one at which it decides, None before the first.

        >>> [Asha(3, 3).rung(epoch) for epoch in (2, 3, 8.5, 10)]
        [None, 3, 3, 9]
        """
        rung = self.first
        while rung * self.factor <= epoch:
            rung *= self.factor
        return rung if rung <= epoch else None

    def plan(self) -> str:
        """Return when it decides, for people.

        >>> Asha(3, 3).plan()
        'asha stops runs at epochs 3, 9, 27, 81 and so on: 1 in 3 goes on'
        """
        epochs = ", ".join(str(self.first * self.factor**power) for power in range(4))
        return f"asha stops runs at epochs {epochs} and so on: 1 in {self.factor} goes on"

    def verdict(self, epoch: int, own: float, others: Sequence[float], goal: Goal) -> Verdict:
        """Return whether a run with this value goes on, beside those that got here before.

        Of fewer than ``factor`` values the best alone is known to be among the best share.

        >>> Asha(3, 3).verdict(9, 0.5, [0.9, 0.4, 0.8, 0.7], "maximize")
        Verdict(stops=True, why='epoch 9: 4th of 5; the best 1 goes on')
        """
        place, count = _place(own, others, goal), len(others) + 1
        going = max(1, count // self.factor)
        verb = "goes" if going == 1 else "go"
        return Verdict(
            place > going, f"epoch {epoch}: {_nth(place)} of {count}; the best {going} {verb} on"
        )


class Median(NamedTuple):
    """Stop what is worse than the median of at least ``min_runs`` others, from ``warmup`` on."""

    warmup: int = 5
    min_runs: int = 4

    def is_rung(self, epoch: int) -> bool:
        """Return whether something is decided at an epoch: at each from ``warmup`` on."""
        return epoch >= self.warmup

    def rung(self, epoch: float) -> int | None:
        """Return the whole epoch that this one is in, None before the first that counts."""
        return int(epoch) if epoch >= self.warmup else None

    def plan(self) -> str:
        """Return when it decides, for people.

        >>> Median(5, 4).plan()
        'median stops runs from epoch 5 on: those worse than the median of 4 others or more'
        """
        others = "another" if self.min_runs == 1 else f"{self.min_runs} others"
        return (
            f"median stops runs from epoch {self.warmup} on: those worse than the median of"
            f" {others} or more"
        )

    def verdict(self, epoch: int, own: float, others: Sequence[float], goal: Goal) -> Verdict:
        """Return whether a run with this value goes on, beside those that got here before.

        >>> Median(5, 3).verdict(6, 0.5, [0.9, 0.4, 0.8], "maximize")
        Verdict(stops=True, why='epoch 6: 0.5 is worse than 0.8, the median of 3 others')
        >>> Median(5, 4).verdict(6, 0.5, [0.9], "maximize").why
        'epoch 6: 1 other, of which 4 are needed'
        """
        if len(others) < self.min_runs:
            verb = "is" if self.min_runs == 1 else "are"
            why = f"{_others(len(others))}, of which {self.min_runs} {verb} needed"
            return Verdict(False, f"epoch {epoch}: {why}")
        losses = sorted(_loss(value, goal) for value in others)
        half = len(losses) // 2
        middle = (losses[half] + losses[-1 - half]) / 2
        stops = _loss(own, goal) > middle
        shown = f"{middle if goal == 'minimize' else -middle:.6g}"
        than = "worse than" if stops else "no worse than"
        why = f"{own:.6g} is {than} {shown}, the median of {_others(len(others))}"
        return Verdict(stops, f"epoch {epoch}: {why}")


Rule: TypeAlias = "Asha | Median"


def rule_of(name: str, options: Mapping[str, object]) -> Rule:
    """Return a rule by its name and options; a SweepError says what doesn't fit.

    >>> rule_of("asha", {"first": 3})
    Asha(first=3, factor=3)
    """
    least = _LEAST.get(name)
    if least is None:
        raise SweepError(f"{name} is unknown: {suggestion(name, _LEAST)}")
    numbers: dict[str, int] = {}
    for key, value in options.items():
        if key not in least:
            raise SweepError(f"{name}: {key} is unknown: {suggestion(key, least)}")
        if type(value) is not int or value < least[key]:
            raise SweepError(f"{name}: {key} takes a whole number, {least[key]} or more")
        numbers[key] = value
    return Asha(**numbers) if name == "asha" else Median(**numbers)


_LEAST = {"asha": {"first": 1, "factor": 2}, "median": {"warmup": 0, "min_runs": 1}}
"""The rules of early stopping by their names, and the least that each of their options may be."""


def _loss(value: float, goal: Goal) -> float:
    """Return a value of which less is better; what is no number is the worst."""
    if not isfinite(value):
        is_worst = value != value or (value > 0) == (goal == "minimize")
        return float("inf") if is_worst else float("-inf")
    return value if goal == "minimize" else -value


def _place(own: float, others: Sequence[float], goal: Goal) -> int:
    """Return the place of a value among others, from 1; as good as another is as far."""
    return 1 + sum(_loss(other, goal) < _loss(own, goal) for other in others)


def _others(count: int) -> str:
    return "1 other" if count == 1 else f"{count} others"


def _nth(place: int) -> str:
    """Return a place as people write it.

    >>> [_nth(place) for place in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{'th' if 10 < place % 100 < 14 else ending}"
