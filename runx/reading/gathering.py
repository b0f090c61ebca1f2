"""The runs that a person means, read; and every experiment at a glance."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runx.disk.experiments import find, launches, places
from runx.disk.facts import Words
from runx.errors import RunxError
from runx.reading.collect import index_for, read
from runx.reading.glancing import stood
from runx.reading.roster import Overview
from runx.reading.selecting import select
from runx.reading.standing import Reader, Standing
from runx.rundir import ExperimentDir, RunDir
from runx.tables.question import Question
from runx.tables.summary import chosen


def standings_of(
    words: Sequence[str], logroot: Path, cwd: Path, reader: Reader, where: str = ""
) -> list[Standing]:
    """Read the runs that words stand for, without words those of all experiments.

    Of those, ``where`` keeps the ones for which it holds.
    """
    question = Question(where=where)
    measures = tuple(dict.fromkeys((*reader.measures, *question.measures)))
    reader = reader._replace(measures=measures, details=reader.details | question.details)
    found = list(_standings(words, logroot, cwd, reader))
    kept = {id(run) for run in chosen([one.result for one in found], question)}
    return [one for one in found if id(one.result) in kept]


def _standings(
    words: Sequence[str], logroot: Path, cwd: Path, reader: Reader
) -> Iterator[Standing]:
    if words:
        runs = select(words, logroot, cwd)
    else:
        experiments = find(["*"], logroot, cwd) if logroot.is_dir() else []
        runs = [run for experiment in experiments for run in places(experiment)]
    for folder, inside in itertools.groupby(runs, key=lambda run: os.path.dirname(os.fspath(run))):
        several, experiment = list(inside), ExperimentDir(Path(folder))
        index = index_for(several, experiment, reader)
        found = list(read(several, experiment.path.name, reader, index))
        yield from _with_words(found, reader)


def _with_words(found: list[Standing], reader: Reader) -> Iterator[Standing]:
    """Read the runs again of which a scheduler may know more than their files do."""
    waiting = [one for one in found if _may_be_known(one)]
    said = _asked(waiting, reader) if waiting else {}
    again = reader._replace(words={**reader.words, **said})
    for one in found:
        if said and _may_be_known(one):
            yield from read([one.result.dir], one.result.experiment, again)
        else:
            yield one


def _asked(waiting: list[Standing], reader: Reader) -> Words:
    # Not at start: most runs are past what a farm can tell.
    from runx.schedulers.query import query, submitted_jobs

    attempts = ((one.result.dir, one.facts.attempts) for one in waiting)
    return query(submitted_jobs(attempts, reader.warn), reader.warn)


def _may_be_known(one: Standing) -> bool:
    """Say whether a farm has had a run whose last attempt has not ended well."""
    attempts = one.facts.attempts
    last = attempts[-1].event("ended") if attempts else None
    is_over = last is not None and last.details.get("code") == 0
    return not is_over and any(attempt.farm for attempt in attempts)


def runs_of(
    words: Sequence[str], logroot: Path, cwd: Path, where: str, warn: Callable[[str], None]
) -> list[RunDir]:
    """Find the runs that words stand for; they are read only where ``where`` has to choose."""
    if not where:
        return select(words, logroot, cwd)
    found = standings_of(words, logroot, cwd, Reader(warn=warn), where)
    if not found:
        raise RunxError(f"--where {where}: no run is like that")
    return [one.result.dir for one in found]


def overviews(logroot: Path, warn: Callable[[str], None]) -> Iterator[Overview]:
    """Look at every experiment under LOGROOT: states alone, no metrics."""
    if not logroot.is_dir():
        raise RunxError(f"LOGROOT {logroot} isn't there; launch an experiment, or see --logroot")
    for experiment in find(["*"], logroot, logroot):
        yield _overview(experiment, warn)


def _overview(experiment: ExperimentDir, warn: Callable[[str], None]) -> Overview:
    names, latest = [], 0.0
    for run, stands, known in stood([*places(experiment)], experiment, warn):
        names.append(stands.name)
        times = (event.time for attempt in known.attempts for event in attempt.events)
        latest = max(latest, os.stat(run).st_mtime, *(time or 0.0 for time in times))
    titles = [launch.title for launch in launches(experiment, warn) if launch.title]
    title = titles[-1] if titles else ""
    return Overview(experiment.path.name, tuple(names), title, latest or None)
