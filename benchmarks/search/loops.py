"""A search played: several trials at a time, each of a length of its own, the next as one ends."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from benchmarks.search.functions import Function


class Searcher(Protocol):
    """What is asked for points, and told what came of them."""

    def ask(self, number: int) -> Mapping[str, Any]:
        """Return the point of a trial, which is running from then on."""
        ...

    def tell(self, number: int, loss: float) -> None:
        """Take in what a trial measured; less is better."""
        ...


class Played(NamedTuple):
    """A search that was played: the regret after each end, and the seconds that asking took."""

    regrets: list[float]
    seconds: float


def played(function: Function, searcher: Searcher, trials: int, width: int, seed: int) -> Played:
    """Return how a search of so many trials goes, ``width`` at a time.

    The regret is that of the point which measured best, without its noise.
    """
    lengths = random.Random(f"lengths:{seed}")
    running: list[tuple[float, int, Mapping[str, Any]]] = []
    seconds, clock, asked = 0.0, 0.0, 0
    best, regrets = float("inf"), list[float]()
    while len(regrets) < trials:
        while asked < trials and len(running) < width:
            began = time.process_time()
            point = searcher.ask(asked)
            seconds += time.process_time() - began
            heapq.heappush(running, (clock + lengths.uniform(0.5, 1.5), asked, point))
            asked += 1
        clock, number, point = heapq.heappop(running)
        loss = function.measured(point, seed)
        searcher.tell(number, loss)
        regret = regrets[-1] if regrets else float("inf")
        if loss < best:
            best, regret = loss, function.value(point) - function.least
        regrets.append(regret)
    return Played(regrets, seconds)
