"""The states of runs: by their files alone, and by what schedulers report of their jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from runx.analysis.index import open_index
from runx.analysis.step_records import open_attempts, read_steps, state_of, with_steps
from runx.rundir.attempts import (
    NO_STATUSES,
    Attempts,
    JobStatuses,
    clock,
    current_state,
    read_attempts,
)
from runx.rundir.experiments import is_barred, is_run
from runx.rundir.paths import STEPS, ExperimentDir, RunDir
from runx.rundir.record import read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles
from runx.rundir.state import UNKNOWN, State, state

Warn = Callable[[str], None]


def read_states(
    runs: Sequence[RunDir], experiment: ExperimentDir, warn: Warn
) -> Iterator[RunRecord]:
    """Read the states of an experiment's runs and nothing else of them; no scheduler is asked.

    No file is opened of runs that are over and have not changed since the index was written; of
    their events only the first start and the end are in it.
    """
    now = clock(experiment.path)
    index = open_index(experiment, len(runs))
    try:
        for run in runs:
            if index and (known := index.find(run, experiment.path.name)):
                yield known
            elif not is_run(os.fspath(run)):
                is_barred(os.fspath(run), warn)  # only for its warning
            else:
                try:
                    attempts = read_attempts(run, now, warn)
                except OSError as error:
                    warn(f"{run.path}: left out: {error}")
                    continue
                if not attempts and os.path.isdir(f"{os.fspath(run)}/{STEPS}"):  # noqa: PTH112
                    yield _of_steps(run, now, warn)
                    continue
                is_ours = bool(attempts) or run.record.exists()
                status = state(attempts) if is_ours else State(UNKNOWN)
                yield RunRecord(run.path.name, run, {}, status, {}, attempts=attempts)
    finally:
        if index:
            index.close()


def _of_steps(run: RunDir, now: Callable[[], float], warn: Warn) -> RunRecord:
    """Return the record of a run by the states of its steps."""
    steps = read_steps(run, read_or_empty(run.record, warn), now, warn, RunFiles(os.fspath(run)))
    status, step, attempts = state_of(steps)
    return RunRecord(run.path.name, run, {}, status, {}, attempts=attempts, steps=steps, step=step)


def with_job_statuses(
    records: Iterator[RunRecord], warn: Warn, now: Callable[[], float]
) -> Iterator[RunRecord]:
    """Return records with what schedulers report of their jobs.

    Records are passed on as they come up to the first that may have a job; from there on all are
    read, so that each farm is asked once.
    """
    for record in records:
        if open_attempts(record):
            rest = [record, *records]
            statuses = ask_schedulers(rest, warn)
            yield from (with_job_status(each, statuses, now) for each in rest)
            return
        yield record


def ask_schedulers(records: Iterable[RunRecord], warn: Warn) -> JobStatuses:
    """Return what schedulers report of the jobs of runs that have not ended well.

    Each farm is asked once.
    """
    attempts: dict[RunDir, Attempts] = {}
    for record in records:
        attempts.update(open_attempts(record))
    if not attempts:
        return NO_STATUSES
    from runx.farms.query import query, submitted_jobs  # not at start: most need no farm

    return query(submitted_jobs(attempts.items(), warn), warn)


def with_job_status(
    record: RunRecord, statuses: JobStatuses, now: Callable[[], float]
) -> RunRecord:
    """Return a record with the state that it has by the statuses of jobs."""
    if not statuses or not open_attempts(record):
        return record
    if record.steps:
        return with_steps(record, statuses, now)
    status, attempts = current_state(record.dir, record.attempts, statuses, now)
    return record._replace(status=status, attempts=attempts)
