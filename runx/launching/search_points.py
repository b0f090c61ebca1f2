"""The points of a search that are there from its launch on: those to try first, and evenly spread.

A run takes the point of its number where none can be chosen, as on a node without our Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from runx.config.experiment import Experiment
from runx.errors import SettingsError, SweepError
from runx.launching.searches import PlannedSearch
from runx.search.lowdiscrepancy import halton_parts
from runx.search.space import Parts, Space, Values, values_of
from runx.sweeps.axes import hparam
from runx.sweeps.identity import is_same
from runx.sweeps.values import Node
from runx.trials.spaces import space_of

FIRST, EVENLY = "try_first", "qmc"
"""What a point's file names as its sampler."""
_TRIES = 100
"""Points that are drawn in search of one that is new and that RUNX.SKIP leaves."""
_STRIDE = 1_000_003
"""From a number's point to the next that is drawn for it: beyond the numbers of all trials."""
_MOST_LISTED = 20_000
"""Points of a space that are gone through one by one where none was drawn."""
_FEW = 50
"""First points that are made to check that there are some: all of them would take too long."""


class FirstPoint(NamedTuple):
    """A point that is there from the launch on, by its number, and where it comes from."""

    number: int
    values: Mapping[str, Any]
    sampler: str


def first_points(
    experiment: Experiment, planned: PlannedSearch, there: Mapping[int, Values] = {}
) -> Iterator[FirstPoint]:
    """Yield the points of a search that aren't ``there`` yet, no two the same.

    Raises:
        SettingsError: There aren't so many points, or one to try first is none.
    """
    search, space = planned.search, space_of(planned.search)
    seen = {space.parts(values) for values in there.values()}
    firsts = [parts for parts in _to_try(experiment, planned, space) if parts not in seen]
    missing = [number for number in range(1, search.trials + 1) if number not in there]
    for number in missing:
        sampler = FIRST if firsts else EVENLY
        parts = firsts.pop(0) if firsts else _even(space, search.seed, number, seen)
        if parts is None:
            raise SettingsError(
                f"{experiment.entries['SEARCH'].at('trials')}: SEARCH.trials: there"
                f" {_points(len(seen))} that RUNX.SKIP leaves, and {search.trials} are asked"
                " for; skip less, or widen the ranges"
            )
        seen.add(parts)
        yield FirstPoint(number, values_of(space.point(parts)), sampler)


def check_points(experiment: Experiment, planned: PlannedSearch) -> None:
    """Raise a SettingsError where a point to try first is none, or there aren't enough points."""
    space, trials = planned.part.space, planned.search.trials
    size = space.size
    if size is not None and size < trials:
        raise SettingsError(
            f"{experiment.entries['SEARCH'].at('trials')}: SEARCH.trials: {trials} are asked for,"
            f" and there {_points(size)} to choose from; write {size}, or widen the ranges"
        )
    firsts = len(_to_try(experiment, planned, space_of(planned.search)))
    if firsts > trials:
        raise SettingsError(
            f"{experiment.entries['SEARCH'].at('try_first')}: SEARCH.try_first: has {firsts}"
            f" points, and trials: {trials} of them are tried; write trials: {firsts} or more"
        )
    for _ in islice(first_points(experiment, planned), _FEW):
        pass


def _points(count: int) -> str:
    return "is 1 point" if count == 1 else f"are {count} points"


def _even(space: Space, seed: str, number: int, seen: set[Parts | None]) -> Parts | None:
    """Return the point of a number, or another one where that is taken or RUNX.SKIP drops it."""
    for attempt in range(_TRIES):
        parts = halton_parts(space, seed, number + attempt * _STRIDE)
        if parts not in seen and space.is_open(parts):
            return parts
    if space.size is None or space.size > _MOST_LISTED:
        return None
    others = (parts for parts in space.all_parts() if parts not in seen and space.is_open(parts))
    return next(others, None)


def _to_try(experiment: Experiment, planned: PlannedSearch, space: Space) -> list[Parts]:
    """Return the points of ``try_first`` that are of a search; what they leave open is drawn."""
    assert experiment.search is not None
    found: list[Parts] = []
    for place, tree in enumerate(experiment.search.try_first):
        where = f"{experiment.entries['SEARCH'].at('try_first', place)}: SEARCH.try_first"
        values = {name: _value(name, node, where) for name, node in tree.items()}
        fixed = {each.name: each.value for point in planned.seeds for each in point.hparams}
        for name in values:
            if name not in planned.search.searched and name not in fixed:
                raise SettingsError(f"{where}: {name} is nothing that the search chooses")
        if any(
            not is_same(values[name], value)
            for name, value in planned.search.fixed.items()
            if name in values
        ):
            continue  # It is of another search.
        parts = _completed(space, values, planned)
        if parts is None:
            raise SettingsError(f"{where}: {_shown(values)}: is no point of the ranges of HPARAMS")
        if parts not in found:
            found.append(parts)
    return found


def _value(name: str, node: Node, where: str) -> Any:
    try:
        return hparam(name, node, lambda *path: where).value
    except SweepError as error:
        raise SettingsError(str(error)) from None


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _completed(space: Space, values: Mapping[str, Any], planned: PlannedSearch) -> Parts | None:
    """Return the parts of values, those that are left open drawn evenly."""
    own = {name: value for name, value in values.items() if name in planned.search.searched}
    for number in range(_TRIES):
        drawn = values_of(space.point(halton_parts(space, planned.search.seed, number)))
        parts = space.parts({**drawn, **own})
        if parts is not None and space.is_open(parts):
            point = values_of(space.point(parts))
            if all(name in point for name in own):
                return parts
    return None
