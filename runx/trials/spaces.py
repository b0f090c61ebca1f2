"""A search as its files say it: its space, its measures, the point of each of its runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.analysis.columns import as_number
from runx.analysis.question import Question
from runx.analysis.reduce import Measure
from runx.rundir.run import RunRecord
from runx.rundir.searches import Goal, Search
from runx.search.space import Space
from runx.search.space import space_of as space_of_keys
from runx.sweeps.axes import SKIP, Locator
from runx.sweeps.grid import SweepContext
from runx.sweeps.searched import bound_point, chosen
from runx.sweeps.values import Point, Value


def context_of(search: Search) -> SweepContext:
    """Return what the sweep of a search depends on beside HPARAMS."""
    assert isinstance(search.hparams, dict)
    # A value that is CONFIG's own is told by being the same object.
    defaults = {
        name: own if (own := search.hparams.get(name)) == node else node
        for name, node in search.defaults.items()
    }
    return SweepContext(0, search.seed, search.environment, search.experiment, defaults)


def point_of(search: Search, values: Mapping[str, Value], fixed: Mapping[str, Any]) -> Point | None:
    """Return the whole point of a run, given the values of its trial and its fixed ones.

    None where RUNX.SKIP drops it.
    """
    assert isinstance(search.hparams, dict)
    return bound_point(search.hparams, _place(search), context_of(search), values, fixed)


def space_of(search: Search) -> Space:
    """Return the space of a search, without the points that RUNX.SKIP drops."""
    assert isinstance(search.hparams, dict)
    space = space_of_keys(chosen(search.hparams), _place(search))
    if SKIP not in search.hparams:
        return space
    return Space(
        space.dimensions, lambda values: point_of(search, values, search.fixed) is not None
    )


def _place(search: Search) -> Locator:
    return lambda *path: f"search {search.name}"


def measures_of(search: Search) -> tuple[Measure, ...]:
    """Return what is read of each run: the metrics of a search, a bare name's best.

    >>> measure("acc", "minimize").at, measure("val_loss", "minimize").name
    ('min', 'val_loss-best')
    """
    pairs = zip(search.metrics, search.goals, strict=True)
    return tuple(measure(metric, goal) for metric, goal in pairs)


def measure(metric: str, goal: Goal) -> Measure:
    """Return what is read of each run of a metric in sumx's words; its best is that of the goal."""
    name = Question().sort_measure(metric).metric
    is_lower = goal == "minimize"
    question = Question(lower=(name,)) if is_lower else Question(higher=(name,))
    return question.sort_measure(metric)


def losses_of(search: Search, record: RunRecord) -> tuple[float, ...] | None:
    """Return what a run had of each metric, less being better; None where it lacks one."""
    losses = []
    for each, goal in zip(measures_of(search), search.goals, strict=True):
        number = as_number(record.measured.get(each.name))
        if number is None:
            return None
        losses.append(number if goal == "minimize" else -number)
    return tuple(losses)
