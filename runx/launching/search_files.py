"""The directories of the searches of a launch, and the earlier runs that count for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runx.analysis.read import Reader
from runx.analysis.select import records_of, select
from runx.config.experiment import Experiment
from runx.errors import RunxError, SettingsError
from runx.launching.search_points import first_points
from runx.launching.searches import PlannedSearch, searches_of
from runx.rundir.files import write_whole
from runx.rundir.run import RunRecord
from runx.rundir.searches import (
    Prior,
    Search,
    SearchDir,
    point_text,
    read_point,
    search_dir,
    write_program,
    write_search,
)
from runx.search.space import values_of
from runx.sweeps.identity import is_same
from runx.trials.spaces import losses_of, measures_of, space_of

Say = Callable[[str], None]


def make_searches(experiment: Experiment, say: Say) -> dict[str, Search]:
    """Write what each search of an experiment is, and its first points; return them by name.

    What was written before is replaced but for its points. Without SEARCH there is none.
    """
    if experiment.search is None:
        return {}
    searches, made = searches_of(experiment), dict[str, Search]()
    warm = warm_starts(experiment, searches, say)
    for planned in searches.values():
        folder = search_dir(experiment.dir, planned.search.name)
        search = planned.search._replace(warm=warm[planned.search.name])
        made[search.name] = search
        write_search(folder, search)
        write_program(folder, experiment.entries["SEARCH"].base)
        there = _there(folder, search.trials)
        for number, values, sampler in first_points(experiment, planned, there):
            write_whole(folder.fallback(number), point_text(values, sampler, 0))
    return made


def _there(folder: SearchDir, trials: int) -> dict[int, Mapping[str, Any]]:
    """Return the first points that an earlier launch has written, by their numbers."""
    found = {}
    for number in range(1, trials + 1):
        content = read_point(folder.fallback(number))
        if content is not None:
            found[number] = content["values"]
    return found


def check_warm_start(experiment: Experiment) -> None:
    """Raise a SettingsError where warm_start names no runs."""
    assert experiment.search is not None
    try:
        select(experiment.search.warm_start, experiment.logroot, Path.cwd())
    except RunxError as error:
        place = experiment.entries["SEARCH"].at("warm_start")
        raise SettingsError(f"{place}: SEARCH.warm_start: {error}") from None


def _earlier(
    experiment: Experiment, searches: Mapping[str, PlannedSearch], say: Say
) -> list[RunRecord]:
    """Return the runs that warm_start names."""
    assert experiment.search is not None
    words = experiment.search.warm_start
    if not words:
        return []
    measures = measures_of(next(iter(searches.values())).search)
    reader = Reader(measures, lambda line: say(f"warning: {line}"), attempts=False)
    return records_of(words, experiment.logroot, Path.cwd(), reader)


def warm_starts(
    experiment: Experiment, searches: Mapping[str, PlannedSearch], say: Say
) -> dict[str, tuple[Prior, ...]]:
    """Return the earlier runs that count for each search; print how many don't, and why."""
    records = _earlier(experiment, searches, say)
    return {name: _warm(planned.search, records, say) for name, planned in searches.items()}


def _warm(search: Search, records: list[RunRecord], say: Say) -> tuple[Prior, ...]:
    """Return the earlier runs that count for a search."""
    space, found = space_of(search), list[Prior]()
    outside = unmeasured = elsewhere = 0
    for record in records:
        if record.trial is not None and record.trial.search == search.name:
            continue
        losses = losses_of(search, record) if record.state == "done" else None
        parts = space.parts(record.hparams)
        if not _is_of(search, record):
            elsewhere += 1
        elif losses is None:
            unmeasured += 1
        elif parts is None:
            outside += 1
        else:
            signs = [1 if goal == "minimize" else -1 for goal in search.goals]
            metrics = tuple(sign * loss + 0.0 for sign, loss in zip(signs, losses, strict=True))
            found.append(Prior(values_of(space.point(parts)), metrics, str(record.dir.path)))
    if records:
        whys = (
            (outside, "outside of the ranges"),
            (unmeasured, f"without {', '.join(search.metrics)}, or not done"),
            (elsewhere, "of other values"),
        )
        rest = "".join(f"; {count} {why}" for count, why in whys if count)
        say(f"{search.name}: {len(found)} of {len(records)} earlier runs count{rest}")
    # Names of runs are random, and the order of what is known gives another point.
    return tuple(
        sorted(found, key=lambda prior: (repr(sorted(prior.values.items())), prior.metrics))
    )


def _is_of(search: Search, record: RunRecord) -> bool:
    """Return whether an earlier run has the fixed values of a search, as far as it has any."""
    return all(
        name not in record.hparams or is_same(record.hparams[name], value)
        for name, value in search.fixed.items()
    )
