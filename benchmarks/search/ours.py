"""Our samplers, asked as a search asks them: the whole history each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.search.functions import Function
from benchmarks.search.loops import Searcher
from runx.search.observations import End, Observation, Seed
from runx.search.space import Space, Values, space_of, values_of
from runx.search.suggest import suggest
from runx.sweeps.yaml import parse


def space_for(hparams: Mapping[str, Any]) -> Space:
    """Return the space of ranges as HPARAMS has them."""
    document = parse(json.dumps(hparams), "search.yml")
    assert isinstance(document.tree, dict)
    return space_of(document.tree, document.at)


class Ours:
    """A built-in sampler."""

    def __init__(self, sampler: str, function: Function, seed: int, trials: int) -> None:
        self.sampler, self.seed = sampler, str(seed)
        self.space = space_for(function.hparams)
        self.seen: list[Observation] = []
        self.running: dict[int, Values] = {}
        self.pruned: set[int] = set()

    def ask(self, number: int) -> Mapping[str, Any]:
        """Return the point of a trial."""
        running = list(self.running.values())
        seed = Seed(self.seed, number)
        point = values_of(suggest(self.space, self.seen, running, seed, self.sampler))
        self.running[number] = point
        return point

    def tell(self, number: int, loss: float) -> None:
        """Take in what a trial measured."""
        state: End = "pruned" if number in self.pruned else "done"
        self.seen.append(Observation(number, self.running.pop(number), (loss,), state))

    def prune(self, number: int) -> None:
        """Take in that a trial was stopped early, before what it measured is told."""
        self.pruned.add(number)


OURS: Mapping[str, Callable[[Function, int, int], Searcher]] = {
    name: lambda *given, name=name: Ours(name, *given) for name in ("gp", "tpe", "qmc", "random")
}
