"""Early stopping played on learning curves: the work that is done, and what is lost by it."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from benchmarks.search.functions import Function, training
from benchmarks.search.loops import Searcher
from runx.search.pruning import Rule

EPOCHS = 27
KILLED = 0.1


class Curves(NamedTuple):
    """Learning curves: the error of a point after so many epochs."""

    name: str
    error: Callable[[Mapping[str, Any], int], float]


def _similar(point: Mapping[str, Any], epoch: int) -> float:
    """Return an error that falls for all points alike: who leads early leads late."""
    last = training(point)
    return last + (0.9 - last) * math.exp(-epoch / 5)


def _crossing(point: Mapping[str, Any], epoch: int) -> float:
    """Return an error that falls slowly where the learning rate is low, and then lower.

    Rates above the best begin fastest and stay above.
    """
    last = training(point)
    speed = 3 + 4 * max(0.0, min(1.0, -math.log10(point["lr"]) / 4))
    return last + (0.9 - last) * math.exp(-epoch / speed)


CURVES = (Curves("similar", _similar), Curves("crossing", _crossing))


class Stopper(Protocol):
    """What decides at each epoch of a trial whether it stops."""

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial with this error stops after this epoch."""
        ...


class Ours:
    """A rule of ours over the values that got to each rung."""

    def __init__(self, rule: Rule | None) -> None:
        self.rule, self.rungs = rule, dict[int, dict[int, float]]()

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial stops: it enters each rung once, however often it gets there."""
        if self.rule is None or not self.rule.is_rung(epoch):
            return False
        rung = self.rungs.setdefault(epoch, {})
        own = rung.setdefault(number, error)
        others = [value for other, value in rung.items() if other != number]
        return self.rule.verdict(epoch, own, others, "minimize").stops


class Work(NamedTuple):
    """What a search with early stopping did: its best error after each epoch of work."""

    best: list[float]

    @property
    def epochs(self) -> int:
        """The epochs that were trained, those of killed trials included."""
        return len(self.best)

    def until(self, error: float) -> int:
        """Return the epochs of work until an error was reached; all of them where it wasn't."""
        return next((place + 1 for place, each in enumerate(self.best) if each <= error), 10**9)


def worked(
    function: Function,
    curves: Curves,
    searcher: Searcher,
    stopper: Stopper,
    *,
    trials: int,
    width: int,
    seed: int,
    killed: float = 0.0,
    resumes: bool = True,
    fail: Callable[[int], None] = lambda number: None,
) -> Work:
    """Return how a search goes whose trials train ``EPOCHS`` epochs, ``width`` at a time.

    A share of them is ``killed`` once, at some epoch. What ``resumes`` goes on with the last
    epoch's checkpoint; what doesn't has failed.
    """
    source = random.Random(f"work:{seed}")
    ends = {n: source.randrange(1, EPOCHS + 1) for n in range(trials) if source.random() < killed}
    running: list[tuple[float, int, int]] = []
    points: dict[int, Mapping[str, Any]] = {}
    best, history, asked, clock = float("inf"), list[float](), 0, 0.0
    while running or asked < trials:
        while asked < trials and len(running) < width:
            points[asked] = searcher.ask(asked)
            heapq.heappush(running, (clock + source.uniform(0.9, 1.1), asked, 1))
            asked += 1
        clock, number, epoch = heapq.heappop(running)
        if ends.get(number) == epoch:
            del ends[number]
            history.append(best)
            if resumes:
                heapq.heappush(running, (clock + 1, number, epoch))
            else:
                fail(number)
            continue
        error = curves.error(points[number], epoch) + 0.001 * source.gauss(0, 1)
        best = min(best, error)
        history.append(best)
        if epoch == EPOCHS or stopper.stops(number, epoch, error):
            searcher.tell(number, error if epoch == EPOCHS else _pruned(searcher, number, error))
        else:
            heapq.heappush(running, (clock + source.uniform(0.9, 1.1), number, epoch + 1))
    return Work(history)


def _pruned(searcher: Searcher, number: int, error: float) -> float:
    """Mark a trial as stopped early, for those that tell it apart; return its error."""
    getattr(searcher, "prune", lambda number: None)(number)
    return error
