"""Runs are ended, held and released: those here by signals, those of farms by their schedulers."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from runx.errors import FarmError, SettingsError
from runx.farms import control
from runx.farms.base import SubmittedJob
from runx.farms.query import query, submitted_jobs
from runx.farms.registry import farm_type_of
from runx.local.process import LiveAttempt, signal_run
from runx.rundir.attempts import (
    Attempts,
    JobStatuses,
    clock,
    current_state,
    read_attempts,
    status_of,
    this_machine,
)
from runx.rundir.events import Attempt
from runx.rundir.files import disk_problem, is_full
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir
from runx.rundir.state import UNKNOWN, State

Say = Callable[[str], None]
_ORDERED = "those that wait end as they start, those that run within half a minute"
_QUIET, _POLL = 2.0, 0.05
"""Seconds of waiting before it is mentioned, and between two looks."""
_NOT_MEANT = ("running", "planned")
_UNSURE = ("preempted", "planned", UNKNOWN)
"""States, besides those of what is alive, in which a run may have a job that waits."""
_PAUSES = (0.0, 0.3, 0.7, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Seconds before each look at what its farm still has of cancelled runs."""
GRACE = 30.0
"""Seconds from TERM to KILL of a run on this machine."""


class LiveRun(NamedTuple):
    """A run that has not ended: its last attempt, and the name of its state."""

    run: RunDir
    attempt: Attempt
    state: str


class Changed(NamedTuple):
    """How many runs were cancelled, held or released, and why others were not, by run."""

    done: int
    left: Mapping[RunDir, str] = {}


class _Look(NamedTuple):
    """Runs as they stand: their attempts, those of them with a job, and what schedulers answer."""

    attempts: Mapping[RunDir, Attempts]
    jobs: Mapping[RunDir, SubmittedJob]
    statuses: JobStatuses

    def state(self, run: RunDir) -> State:
        return current_state(run, self.attempts[run], self.statuses, clock(run.path.parent))[0]


def _look(runs: Iterable[RunDir], warn: Say) -> _Look:
    attempts = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    jobs = {job.run: job for job in submitted_jobs(attempts.items(), warn)}
    statuses = query(jobs.values(), warn)
    without_id = [run for run, job in jobs.items() if not job.id]
    # The query may have found jobs by their names, and recorded their ids.
    fresh = {run: read_attempts(run, clock(run.path.parent), _ignore) for run in without_id}
    found = {job.run: job for job in submitted_jobs(fresh.items(), _ignore)}
    return _Look({**attempts, **fresh}, {**jobs, **found}, statuses)


def _ignore(_: str) -> None:
    """Ignore a warning that has been given before."""


def cancel(runs: Sequence[RunDir], say: Say, warn: Say, grace: float = GRACE) -> Changed:
    """Cancel runs, and ask their farms which are still there; those are left, and not cancelled.

    An order is written first: by it a run that ends counts as cancelled, and one whose farm can't
    end it ends as it starts, or at its next heartbeat. ``grace`` is the time from TERM to KILL of
    runs here, in seconds.

    Raises:
        FarmError: No run can be cancelled; then no order is written.
    """
    look = _look(runs, warn)
    live = live_runs(look.attempts, look.statuses)
    heeding = {each.run for each in live if each.attempt.farm and _heeds_orders(each, look.jobs)}
    given_up = {each.run for each in live if each.run not in heeding and _may_give_up(each, look)}
    by_order = heeding | given_up
    unable = _unable([each.run for each in live if each.run not in by_order], look.jobs, "cancel")
    if unable and len(unable) == len(live):
        raise FarmError(next(iter(unable.values())))
    live = [each for each in live if each.run not in unable]
    # What can't be asked for can't be ended by its scheduler either.
    unseen = {each.run for each in live if each.attempt.farm and not _is_seen(each.run, look)}
    heeds = by_order | unseen
    live = [
        each for each in live if _is_ordered(each, each.run in heeds, each.run in by_order, say)
    ]
    signalled = [each for each in live if each.attempt.farm is None and _terminate(each, say)]
    at_farms = [each.run for each in live if each.attempt.farm and each.run not in by_order]
    jobs = [look.jobs[run] for run in at_farms if run in look.jobs]
    refused = control.cancel(jobs, set(runs), look.statuses)
    for reason in dict.fromkeys(refused.values()):
        warn(reason)
    _say_ordered(heeding, given_up, look, say)
    _wait_or_kill(signalled, grace, say)
    left = {**unable, **_standing(at_farms)}
    return Changed(len(live) - len(left.keys() - unable.keys()), left)


def _is_ordered(live: LiveRun, heed: bool, is_over: bool, say: Say) -> bool:
    """Write the order to cancel a run; return False where nothing ends without it.

    On a full disk, or where it may not be written, a run is ended all the same.
    """
    try:
        write_order(live.run, CANCEL, live.attempt.number, heed, is_over)
    except OSError as error:
        problem = disk_problem(error, live.run.path)
        if is_over:
            say(f"{live.run.path.name}: not cancelled: {problem}")
            return False
        counts = "will count as killed, not as cancelled" if is_full(error) else "cancelled"
        say(f"{live.run.path.name}: {counts}, which can't be written: {problem}")
    return True


def _heeds_orders(live: LiveRun, jobs: Mapping[RunDir, SubmittedJob]) -> bool:
    return control.ends_by_order(live.run, live.attempt.number, jobs.get(live.run))


def _may_give_up(live: LiveRun, look: _Look) -> bool:
    """Return whether nobody can say if a run has a job that is there, and end it if so."""
    job = look.jobs.get(live.run)
    if live.attempt.farm is None or (job and _is_asked(job)):
        return False
    return live.state == UNKNOWN or (live.state == "queued" and not live.attempt.job_id)


def _unable(
    runs: Iterable[RunDir], jobs: Mapping[RunDir, SubmittedJob], verb: str
) -> dict[RunDir, str]:
    """Return those of the runs whose farm can't cancel, hold or release jobs, and why."""
    unable = {}
    for run in runs:
        try:
            if run in jobs:
                control.commands_for(jobs[run].farm, verb)
        except FarmError as error:
            unable[run] = str(error)
    return unable


def _is_seen(run: RunDir, look: _Look) -> bool:
    status = status_of(run, look.attempts[run], look.statuses)
    return status is not None and status.state != "unseen"


def _say_ordered(
    heeding: Collection[RunDir], given_up: Collection[RunDir], look: _Look, say: Say
) -> None:
    if heeding:
        count = len(heeding)
        say(f"{count} told by an order, since runx can't end jobs of their farm: {_ORDERED}")
    for run in given_up:
        farm = look.attempts[run][-1].farm
        say(
            f"{run.path.name}: given up: {farm} can't be asked for its job, nor told to end it; if"
            " it is there after all, it will run beside the one that --resume starts"
        )


def _standing(runs: Sequence[RunDir]) -> dict[RunDir, str]:
    """Return those of the runs whose job is still there when asked for again, and their states.

    Of those that never began and are not there any more this is recorded.
    """
    standing = list(runs)
    for pause in _PAUSES:
        if not standing:
            break
        time.sleep(pause)
        look = _look(standing, _ignore)
        live = {each.run for each in live_runs(look.attempts, look.statuses)}
        for run in standing:
            if run not in live and look.attempts[run] and not look.attempts[run][-1].events:
                over = LiveRun(run, look.attempts[run][-1], "cancelled")
                _is_ordered(over, heed=False, is_over=True, say=_ignore)
        standing = [run for run in standing if run in live]
        if not any(_is_seen(run, look) for run in standing):
            break
    return {run: str(look.state(run)) for run in standing}


def live_runs(attempts_of: Mapping[RunDir, Attempts], statuses: JobStatuses) -> list[LiveRun]:
    """Return those of the runs that wait or run, or may, by their attempts and jobs' statuses."""
    live = []
    for run, attempts in attempts_of.items():
        state, attempts = current_state(run, attempts, statuses, clock(run.path.parent))
        is_unasked = state.name == "lost" and status_of(run, attempts, statuses) is None
        is_unsure = is_unasked or state.name == UNKNOWN
        if attempts and (state.name in control.ALIVE or (is_unsure and attempts[-1].farm)):
            live.append(LiveRun(run, attempts[-1], state.name))
    return live


def hold(runs: Sequence[RunDir], warn: Say) -> Changed:
    """Hold the waiting jobs of runs."""
    return _change(runs, "hold", warn)


def release(runs: Sequence[RunDir], warn: Say) -> Changed:
    """Release the held jobs of runs."""
    return _change(runs, "release", warn)


def _change(runs: Sequence[RunDir], verb: str, warn: Say) -> Changed:
    look = _look(runs, warn)
    states = {run: look.state(run) for run in runs}
    live = [run for run in runs if states[run].alive or states[run].name in _UNSURE]
    left = {run: _why_not(run, states[run], look) for run in live if not _waits(run, look)}
    left |= _unable([run for run in live if run not in left], look.jobs, verb)
    jobs = [look.jobs[run] for run in live if run not in left]
    left |= control.change(jobs, verb, look.statuses, set(runs))
    if done := len(live) - len(left):
        # That others run already, or were never submitted, is no reason to complain.
        left = {run: why for run, why in left.items() if states[run].name not in _NOT_MEANT}
    return Changed(done, left)


def _why_not(run: RunDir, state: State, look: _Look) -> str:
    """Return why a run can't be held or released."""
    if run in look.jobs:
        return f"it is {state}"
    return f"it is {state}, and no job of a farm; only those can be held and released"


def _waits(run: RunDir, look: _Look) -> bool:
    """Return whether a run has a job that waits, or one of a farm that can't be asked for any."""
    job = look.jobs.get(run)
    if job is None or not job.id:
        return False
    status = look.statuses.get(job.key)
    return status.state == "queued" if status else not _is_asked(job)


def _is_asked(job: SubmittedJob) -> bool:
    try:
        return bool(farm_type_of(job.farm.type).queries)
    except SettingsError:
        return False


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
