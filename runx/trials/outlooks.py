"""How the searches of runs go, read from their files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runx.analysis.failures import Causes, grouped_by_cause
from runx.analysis.read import Reader, index_for, read_runs
from runx.errors import StoreError
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.rundir.searches import (
    Search,
    SearchDir,
    held_ends,
    read_points,
    read_search,
    search_dir,
)
from runx.rundir.states import ENDED_BADLY
from runx.trials.outlook import Outlook, outlook
from runx.trials.spaces import measures_of

_MOST_READ = 200
"""Outputs that are read for the causes of failures."""


def outlooks(
    records: Iterable[RunRecord], warn: Callable[[str], None], causes: Causes | None = None
) -> list[Outlook]:
    """Return how each search goes that runs are of, in the order of their first runs.

    Whoever looks again and again hands in the ``causes`` that are known from before.
    """
    causes = causes or Causes()
    members: dict[tuple[Path, str], list[RunRecord]] = {}
    for record in records:
        if record.trial is not None:
            key = record.dir.path.parent, record.trial.search
            members.setdefault(key, []).append(record)
    found = []
    for (path, name), runs in members.items():
        try:
            search, folder = _read(ExperimentDir(path), name)
            points, held = read_points(folder), held_ends(folder)
        except StoreError as error:
            warn(str(error))
            continue
        measured = _measured(search, ExperimentDir(path), runs)
        why = _counted_causes(runs, causes)
        found.append(outlook(search, measured, points, why, time.time(), held))
    return found


def _read(experiment: ExperimentDir, name: str) -> tuple[Search, SearchDir]:
    folder = search_dir(experiment, name)
    return read_search(folder), folder


def _measured(
    search: Search, experiment: ExperimentDir, runs: Sequence[RunRecord]
) -> list[RunRecord]:
    """Return runs with what they have of the metrics of their search."""
    reader = Reader(measures_of(search), lambda line: None, attempts=False, ask=False)
    dirs = [run.dir for run in runs]
    index = index_for(dirs, experiment, reader)
    measured = {
        run.name: run.measured for run in read_runs(dirs, experiment.path.name, reader, index)
    }
    return [run._replace(measured={**run.measured, **measured.get(run.name, {})}) for run in runs]


def _counted_causes(runs: Sequence[RunRecord], causes: Causes) -> list[tuple[str, int]]:
    """Return the causes of failed runs, each with the number of these, the most frequent first."""
    failed = [run for run in runs if run.state in ENDED_BADLY]
    others = [run for run in runs if run.state not in ENDED_BADLY]
    latest = ((run, causes.of(run)) for run in failed[-_MOST_READ:])
    groups = grouped_by_cause(latest, others)
    return [(group.reason, len(group.results)) for group in groups]
