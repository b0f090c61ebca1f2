"""Runs are ended, held and released: those here by signals, those of farms by their schedulers."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from runx.farms import control
from runx.farms.base import SubmittedJob
from runx.farms.query import jobs_of, query, submitted_jobs
from runx.local.process import LiveAttempt, signal_run
from runx.rundir.attempts import (
    Attempts,
    JobStatuses,
    attempts_of,
    clock,
    current_state,
    status_of,
    this_machine,
)
from runx.rundir.events import Attempt
from runx.rundir.files import disk_problem, is_full
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir

Say = Callable[[str], None]
_ORDERED = "those that wait end as they start, those that run within half a minute"
_QUIET, _POLL = 2.0, 0.05
"""Seconds of waiting before it is mentioned, and between two looks."""
GRACE = 30.0
"""Seconds from TERM to KILL of a run on this machine."""


class LiveRun(NamedTuple):
    """A run that has not ended: its last attempt, and the name of its state."""

    run: RunDir
    attempt: Attempt
    state: str


def cancel(runs: Sequence[RunDir], say: Say, warn: Say, grace: float = GRACE) -> int:
    """Cancel runs and return how many were alive; the order written first makes them cancelled.

    ``grace`` is the time from TERM to KILL of runs here, in seconds.

    Raises:
        FarmError: A job can't be cancelled; then no order is written.
    """
    attempts = attempts_of(runs, warn)
    jobs = {job.run: job for job in submitted_jobs(attempts.items(), warn)}
    statuses = query(jobs.values(), warn)
    live = live_runs(attempts, statuses)
    on_farms = [each for each in live if each.attempt.farm]
    by_order = {each.run for each in on_farms if _heeds_orders(each, jobs)}
    with_jobs = jobs.keys() - by_order
    cancellable = [jobs[each.run] for each in on_farms if each.run in with_jobs]
    # Before any order is written: a run that counts as cancelled while its job still waits would
    # be started again beside it.
    control.check_supported(cancellable, "cancel")
    live = [each for each in live if _is_ordered(each, each.run in by_order, say)]
    on_farms = [each for each in live if each.attempt.farm]
    cancellable = [jobs[each.run] for each in on_farms if each.run in with_jobs]
    signalled = [each for each in live if each.attempt.farm is None and _terminate(each, say)]
    control.cancel(cancellable, set(runs), statuses)
    if by_order:
        count = len(by_order)
        say(f"{count} told by an order, since runx can't end jobs of their farm: {_ORDERED}")
    _wait_or_kill(signalled, grace, say)
    return len(live)


def _is_ordered(live: LiveRun, heed: bool, say: Say) -> bool:
    """Write the order to cancel a run; return False where the run can't be ended without it.

    On a full disk one that runs is ended all the same, and counts as killed.
    """
    try:
        write_order(live.run, CANCEL, live.attempt.number, heed)
    except OSError as error:
        problem = disk_problem(error, live.run.path)
        is_waiting = live.attempt.farm is None and not live.attempt.events
        if heed or is_waiting or not is_full(error):
            say(f"{live.run.path.name}: not cancelled: {problem}")
            return False
        say(f"{live.run.path.name}: will count as killed, not as cancelled: {problem}")
    return True


def _heeds_orders(live: LiveRun, jobs: Mapping[RunDir, SubmittedJob]) -> bool:
    return control.ends_by_order(live.run, live.attempt.number, jobs.get(live.run))


def live_runs(attempts_of: Mapping[RunDir, Attempts], statuses: JobStatuses) -> list[LiveRun]:
    """Return those of the runs that wait or run, by their attempts and the statuses of jobs."""
    live = []
    for run, attempts in attempts_of.items():
        state, attempts = current_state(run, attempts, statuses, clock(run.path.parent))
        is_unasked = state.name == "lost" and status_of(run, attempts, statuses) is None
        if attempts and (state.name in control.ALIVE or (is_unasked and attempts[-1].farm)):
            live.append(LiveRun(run, attempts[-1], state.name))
    return live


def hold(runs: Sequence[RunDir], warn: Say) -> int:
    """Hold the waiting jobs of runs; return how many."""
    jobs = jobs_of(runs, warn)
    return control.change(jobs, "hold", query(jobs, warn))


def release(runs: Sequence[RunDir], warn: Say) -> int:
    """Release the held jobs of runs; return how many."""
    jobs = jobs_of(runs, warn)
    return control.change(jobs, "release", query(jobs, warn))


def _terminate(live: LiveRun, say: Say) -> bool:
    """Send TERM to a run on this machine; return whether it was sent.

    Another launcher's run that has not started, or is elsewhere, ends by its order.
    """
    started = live.attempt.event("started")
    process = started.details if started else {}
    name = live.run.path.name
    if not started:
        say(f"{name}: has not started; its launcher is told by the order in {live.run.orders}")
    elif process.get("host") != this_machine().host:
        say(f"{name}: runs on {process.get('host')}; its launcher there is told by the order")
    else:
        attempt = LiveAttempt(live.run, live.attempt.number, None, 0.0)
        if signal_run(attempt, signal.SIGTERM) or attempt.status() is not None:
            return True
        say(f"{name}: is another user's; its launcher is told by the order in {live.run.orders}")
    return False


def _wait_or_kill(signalled: Sequence[LiveRun], grace: float, say: Say) -> None:
    """Wait for the ends of runs that got TERM; KILL those that go on after ``grace`` seconds."""
    begin = time.monotonic()
    running = [LiveAttempt(each.run, each.attempt.number, None, begin) for each in signalled]
    is_mentioned = False
    while (running := [each for each in running if each.status() is None]) and (
        (waited := time.monotonic() - begin) < grace
    ):
        if waited > _QUIET and not is_mentioned:
            count = len(running)
            say(f"{count} have not ended yet; what still goes on after {grace:g} s is killed")
            is_mentioned = True
        time.sleep(_POLL)
    for each in running:
        say(f"{each.dir.path.name}: has not heeded TERM; killed")
        signal_run(each, signal.SIGKILL)
