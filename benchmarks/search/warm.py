"""A warm start: how many trials a search needs to a value, with an earlier grid and without."""

from __future__ import annotations

from itertools import product
from statistics import median

from benchmarks.search.functions import FUNCTIONS, Function
from benchmarks.search.loops import played
from benchmarks.search.ours import Ours
from runx.search.observations import Observation
from runx.search.space import values_of

TRIALS, WIDTH, AT = 60, 4, 40
_LEVELS = (0.17, 0.5, 0.83)
_MOST = 27


def table(seeds: int) -> str:
    """Return, for each function, the trials to the regret that a cold search has after 40."""
    lines = ["| function | without | with a grid of 27 | share |", "|---|---|---|---|"]
    for name, function in FUNCTIONS.items():
        cold = [_regrets(function, seed, warm=False) for seed in range(seeds)]
        target = median(each[AT - 1] for each in cold)
        warm = [_regrets(function, seed, warm=True) for seed in range(seeds)]
        without, with_grid = (median(_until(each, target) for each in way) for way in (cold, warm))
        lines.append(f"| {name} | {without:.0f} | {with_grid:.0f} | {with_grid / without:.2f} |")
    return "\n".join(lines)


def _regrets(function: Function, seed: int, warm: bool) -> list[float]:
    searcher = Ours("gp", function, seed, TRIALS)
    if warm:
        searcher.seen += grid(function, searcher, seed)
    return played(function, searcher, TRIALS, WIDTH, seed).regrets


def grid(function: Function, searcher: Ours, seed: int) -> list[Observation]:
    """Return the observations of a coarse grid, every nth of its points where there are many."""
    points = list(product(_LEVELS, repeat=len(searcher.space.dimensions)))
    result = []
    for number in range(min(_MOST, len(points))):
        levels = points[number * len(points) // min(_MOST, len(points))]
        values = values_of(searcher.space.point(searcher.space.filled(iter(levels))))
        loss = function.measured(values, f"grid:{seed}")
        result.append(Observation(number - 1_000, values, (loss,)))
    return result


def _until(regrets: list[float], target: float) -> int:
    return next((place + 1 for place, each in enumerate(regrets) if each <= target), TRIALS)
