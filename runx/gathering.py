"""The runs that a person means, read; and every experiment at a glance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runx.collect import UNKNOWN, Reader, Standing, read
from runx.errors import RunxError
from runx.experiments import find, is_run, launches, places
from runx.facts import clock, facts
from runx.rundir import ExperimentDir
from runx.selecting import select
from runx.state import state
from runx.status import Overview


def standings_of(
    words: Sequence[str], logroot: Path, cwd: Path, reader: Reader
) -> Iterator[Standing]:
    """Read the runs that words stand for; without words those of all experiments."""
    if words:
        runs = select(words, logroot, cwd)
    else:
        experiments = find(["*"], logroot, cwd) if logroot.is_dir() else []
        runs = [run for experiment in experiments for run in places(experiment)]
    for folder, inside in itertools.groupby(runs, key=lambda run: run.path.parent):
        yield from read(inside, folder.name, reader)


def overviews(logroot: Path, warn: Callable[[str], None]) -> Iterator[Overview]:
    """Look at every experiment under LOGROOT: states alone, no metrics."""
    if not logroot.is_dir():
        raise RunxError(f"LOGROOT {logroot} isn't there; launch an experiment, or see --logroot")
    for experiment in find(["*"], logroot, logroot):
        yield _overview(experiment, warn)


def _overview(experiment: ExperimentDir, warn: Callable[[str], None]) -> Overview:
    now = clock(experiment.path)
    names, latest = [], 0.0
    for run in places(experiment):
        if not is_run(run.path):
            continue
        known = facts(run, now, warn)
        names.append(state(known).name if known.attempts or run.record.exists() else UNKNOWN)
        times = (event.time for attempt in known.attempts for event in attempt.events)
        latest = max(latest, run.path.stat().st_mtime, *(time or 0.0 for time in times))
    titles = [launch.title for launch in launches(experiment, warn) if launch.title]
    title = titles[-1] if titles else ""
    return Overview(experiment.path.name, tuple(names), title, latest or None)
