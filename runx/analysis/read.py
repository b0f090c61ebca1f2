"""Experiments read as RunRecords, by their index, several processes and what schedulers report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from runx.analysis.ask import with_job_statuses
from runx.analysis.found import Wanted, read_found
from runx.analysis.index import Index, open_index
from runx.analysis.index_rows import Entries
from runx.analysis.places import ToolDir
from runx.analysis.read_run import Reading, read_run
from runx.analysis.reduce import Measure
from runx.readers.asked import recorded
from runx.rundir.attempts import clock
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import launch_of, read_or_empty
from runx.rundir.run import RunRecord

WORTH_A_FORK = 400
"""The number of runs that take longer to read than a process to start and to send them back."""
_IN_RECORD = ("id", "tag", "created", "launch")
_IN_LAUNCH = ("note", "git")
_OF_GPUS = ("gpu_hours", "gpu_idle")
_OF_ANY_TOOL = frozenset({"started", "elapsed"})
Warn = Callable[[str], None]


class Reader(NamedTuple):
    """How runs are read: what of them, and whom to warn.

    ``at`` is the epoch that metrics are taken from, None the last. Without ``attempts`` they are
    left out of the records where that saves time. ``processes`` is the number of processes that may
    read at once. With ``ask``, schedulers are asked about runs that may have a job. Runs that lack
    some of ``labels`` are left out.
    """

    measures: tuple[Measure, ...] = ()
    warn: Warn = print
    at: float | None = None
    details: frozenset[str] = frozenset()
    attempts: bool = True
    processes: int = 1
    ask: bool = True
    labels: tuple[str, ...] = ()


def read_experiment(experiment: ExperimentDir, reader: Reader) -> Iterator[RunRecord]:
    """Read the runs of an experiment by name, or of other tools, one after another."""
    if isinstance(experiment, ToolDir):
        found = read_found(experiment, Wanted(reader.measures, reader.at), reader.warn)
        wanted = reader._replace(details=reader.details & _OF_ANY_TOOL)
        return (_with_details(record, wanted, time.time) for record in found)
    runs = list(run_dirs(experiment))
    return read_runs(runs, experiment.path.name, reader, index_for(runs, experiment, reader))


def index_for(runs: Sequence[RunDir], experiment: ExperimentDir, reader: Reader) -> Index | None:
    """Open the index of an experiment if it can help to read some of its runs."""
    if reader.at is not None:
        return None
    attempts = reader.attempts or bool(reader.details)
    return open_index(experiment, len(runs), reader.measures, attempts)


def read_runs(
    runs: Sequence[RunDir], experiment: str, reader: Reader, index: Index | None = None
) -> Iterator[RunRecord]:
    """Read the directories that are runs'; what is damaged costs a warning, each time."""
    if not runs:
        return
    now = clock(runs[0].path.parent)
    records = _records(runs, experiment, now, reader, index)
    if reader.labels:
        records = (record for record in records if {*reader.labels} <= {*record.labels})
    for record in with_job_statuses(records, reader.warn, now) if reader.ask else records:
        yield _with_details(record, reader, now) if reader.details else record


def _records(
    runs: Sequence[RunDir],
    experiment: str,
    now: Callable[[], float],
    reader: Reader,
    index: Index | None,
) -> Iterator[RunRecord]:
    """Return the records of runs by their files alone, and write the index."""
    read = partial(
        read_run,
        experiment=experiment,
        now=now,
        measures=reader.measures,
        at=reader.at,
        index=index,
        asked=recorded(ExperimentDir(runs[0].path.parent), reader.warn),
    )
    try:
        ahead = _read_ahead(runs, read, reader.processes, index) if reader.processes > 1 else {}
        for run in runs:
            reading = ahead.get(run) if ahead else None
            if reading is None and index and (known := index.find(run, experiment)):
                reading = known, []
            record, warnings = reading or read(run)
            for warning in warnings:
                reader.warn(warning)
            if record is not None:
                yield record
        if index:
            index.write()
    finally:
        if index:
            index.close()


def _read_ahead(
    runs: Sequence[RunDir], read: Callable[[RunDir], Reading], processes: int, index: Index | None
) -> dict[RunDir, Reading]:
    """Read runs that the index lacks by several processes, if there are enough of them.

    Returns those alone that the index can't take.
    """
    unread = index.missing(runs) if index else runs
    processes = min(processes, len(unread) // WORTH_A_FORK)
    if processes < 2:
        return {}
    from runx.processes import map_in_forks

    def read_part(part: Sequence[RunDir]) -> tuple[dict[RunDir, Reading], Entries]:
        readings = {run: read(run) for run in part}
        fresh = index.fresh if index else {}
        return {run: each for run, each in readings.items() if run.path.name not in fresh}, fresh

    ahead: dict[RunDir, Reading] = {}
    for readings, fresh in map_in_forks(
        read_part, [unread[at::processes] for at in range(processes)]
    ):
        ahead.update(readings)
        if index:
            index.fresh.update(fresh)
    return ahead


def _with_details(record: RunRecord, reader: Reader, now: Callable[[], float]) -> RunRecord:
    """Return a record with those of its details that are wanted."""
    details = _details(record, reader.details, now(), reader.warn)
    return record._replace(details={name: value for name, value in details if value is not None})


def _details(
    record: RunRecord, wanted: frozenset[str], now: float, warn: Warn
) -> Iterable[tuple[str, Any]]:
    """Return the wanted details of a run, times in seconds since 1970."""
    own = {
        "host": record.where,
        "started": record.started,
        "elapsed": record.elapsed(now),
        "attempt": record.status.attempt or None,
    }
    yield from ((name, own[name]) for name in wanted & own.keys())
    if "cause" in wanted:
        from runx.analysis.failures import cause_in  # its patterns take long to compile

        yield "cause", cause_in(record)
    if wanted & set(_OF_GPUS):
        from runx.analysis.gpus import gpu_use

        if use := gpu_use(record, now):
            yield from zip(_OF_GPUS, use, strict=True)
    if not wanted & {*_IN_RECORD, *_IN_LAUNCH}:
        return
    content = read_or_empty(record.dir.record, warn)
    for name in wanted & set(_IN_RECORD):
        yield name, content.get(name)
    if wanted & set(_IN_LAUNCH) and content.get("launch"):
        launch = launch_of(record.dir, content, warn)
        yield "note", launch.get("note") or None
        yield "git", _commit(launch.get("git"))


def _commit(git: Any) -> str | None:
    """Return a commit's short name, marked where there were changes on top of it.

    >>> _commit({"commit": "c0ffee0123456789", "dirty": True})
    'c0ffee0123+'
    """
    if not isinstance(git, dict) or not git.get("commit"):
        return None
    return f"{git['commit'][:10]}{'+' if git.get('dirty') else ''}"
