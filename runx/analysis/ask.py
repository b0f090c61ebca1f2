"""The states of runs: by their files alone, and by what schedulers report of their jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from runx.analysis.index import open_index
from runx.rundir.attempts import (
    NO_STATUSES,
    JobStatuses,
    clock,
    current_state,
    is_open,
    read_attempts,
)
from runx.rundir.experiments import is_barred, is_run
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
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
                is_ours = bool(attempts) or run.record.exists()
                status = state(attempts) if is_ours else State(UNKNOWN)
                yield RunRecord(run.path.name, run, {}, status, {}, attempts=attempts)
    finally:
        if index:
            index.close()


def with_job_statuses(
    records: Iterator[RunRecord], warn: Warn, now: Callable[[], float]
) -> Iterator[RunRecord]:
    """Return records with what schedulers report of their jobs.

    Records are passed on as they come up to the first that may have a job; from there on all are
    read, so that each farm is asked once.
    """
    for record in records:
        if is_open(record.attempts):
            rest = [record, *records]
            statuses = ask_schedulers(rest, warn)
            yield from (with_job_status(each, statuses, now) for each in rest)
            return
        yield record


def ask_schedulers(records: Iterable[RunRecord], warn: Warn) -> JobStatuses:
    """Return what schedulers report of the jobs of runs that have not ended well.

    Each farm is asked once.
    """
    attempts = {record.dir: record.attempts for record in records if is_open(record.attempts)}
    if not attempts:
        return NO_STATUSES
    from runx.farms.query import query, submitted_jobs  # not at start: most need no farm

    return query(submitted_jobs(attempts.items(), warn), warn)


def with_job_status(
    record: RunRecord, statuses: JobStatuses, now: Callable[[], float]
) -> RunRecord:
    """Return a record with the state that it has by the statuses of jobs."""
    if not statuses or not is_open(record.attempts):
        return record
    status, attempts = current_state(record.dir, record.attempts, statuses, now)
    return record._replace(status=status, attempts=attempts)
