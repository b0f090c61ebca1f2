"""Runs that exist, as a launch sees them: by their attempts and by what schedulers answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runx.errors import StoreError
from runx.launching.plan import ExistingRun
from runx.rundir.attempts import NO_STATUSES, Attempts, JobStatuses, attempts_of
from runx.rundir.files import read_json
from runx.rundir.machines import is_process_alive, this_machine
from runx.rundir.orders import CANCEL
from runx.rundir.paths import RunDir
from runx.rundir.state import State

Warn = Callable[[str], None]
_SUBMISSION_TIMEOUT = 20.0
"""Seconds to wait for a submission whose launcher has died."""


def queried(attempts: Mapping[RunDir, Attempts], warn: Warn) -> JobStatuses:
    """Return the statuses of the jobs of runs, by their schedulers."""
    if not attempts:
        return NO_STATUSES
    from runx.farms.query import query, submitted_jobs  # not at start: few have a farm to ask

    without_id = {run: each for run, each in attempts.items() if not each[-1].job_id}
    _wait_for_submissions(without_id)
    fresh = attempts_of(without_id, _ignore)
    return query(submitted_jobs({**attempts, **fresh}.items(), warn), warn)


def _wait_for_submissions(unfinished: Mapping[RunDir, Attempts]) -> None:
    """Wait for submit commands that outlived their launcher; they write job.json at their end."""
    from runx.farms.query import submitted_jobs

    deadline = time.monotonic() + _SUBMISSION_TIMEOUT
    attempts = dict(unfinished)
    while attempts and time.monotonic() < deadline:
        jobs = submitted_jobs(attempts.items(), _ignore)
        pending = {job.run for job in jobs if job.is_pending and _is_orphan(job.run, job.attempt)}
        attempts = {run: attempts[run] for run in attempts if run in pending}
        time.sleep(0.1 if attempts else 0)


def existing_run(run: RunDir, key: str, state: State, attempts: Attempts) -> ExistingRun:
    """Return a run that exists, given its identity, its state and its attempts."""
    if not attempts:
        return ExistingRun(run, key, state, 0)
    last = attempts[-1]
    waits = last.waits and state.name == "queued"
    if last.waits and last.order != CANCEL:  # It is still to be made.
        attempts = attempts[:-1]
        if not attempts:
            return ExistingRun(run, key, state, 0, waits=waits)
        last = attempts[-1]
    is_locked = any(attempt.locked for attempt in attempts)
    orphan = is_locked and last.farm is None and _is_orphan(run, last.number)
    return ExistingRun(run, key, state, last.number, orphan, waits)


def _is_orphan(run: RunDir, attempt: int) -> bool:
    """Return whether the launcher that claimed an attempt on this machine is dead."""
    try:
        return is_process_alive(read_json(run.claim(attempt)), this_machine()) is False
    except StoreError:
        return False


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""
