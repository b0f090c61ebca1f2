"""The price of one point: processor time, by how much is known."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median

from benchmarks.search.functions import FUNCTIONS, Function
from benchmarks.search.ours import space_for
from benchmarks.search.peers import Optuna
from runx.search.observations import Observation, Seed
from runx.search.space import values_of
from runx.search.suggest import suggest

SIZES = (100, 1_000, 5_000)


def history(function: Function, count: int) -> list[Observation]:
    """Return observations of points at random."""
    space, source = space_for(function.hparams), random.Random(0)
    result = []
    for number in range(count):
        parts = space.filled(iter([source.random() for _ in space.dimensions]))
        values = values_of(space.point(parts))
        result.append(Observation(number, values, (function.measured(values, 0),)))
    return result


def ours(sampler: str, function: Function, seen: list[Observation]) -> float:
    """Return the seconds of processor time that a point of ours takes."""
    space = space_for(function.hparams)
    return _least(lambda: suggest(space, seen, [], Seed("s", len(seen) + 1), sampler))


def optuna(function: Function, seen: list[Observation]) -> float:
    """Return the seconds that Optuna's TPE takes, its study being in memory already."""
    peer = Optuna("TPESampler", function, 0, len(seen))
    from optuna.trial import create_trial

    peer.study.add_trials(
        [
            create_trial(
                params=dict(each.values), distributions=peer.ranges, values=list(each.losses)
            )
            for each in seen
        ]
    )
    return _least(lambda: peer.ask(0))


def _least(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def table() -> str:
    """Return the prices as a Markdown table."""
    function = FUNCTIONS["training"]
    lines = ["| trials | `gp` | `tpe` | `optuna.ask`, TPE, in memory |", "|---|---|---|---|"]
    for size in SIZES:
        seen = history(function, size)
        cells = [ours("gp", function, seen), ours("tpe", function, seen), optuna(function, seen)]
        lines.append(f"| {size:,} | {' | '.join(f'{1e3 * cell:.0f} ms' for cell in cells)} |")
    return "\n".join(lines)
