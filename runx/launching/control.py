"""Runs are ended: those here by signals, those of farms by their schedulers."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from runx.errors import FarmError, SettingsError
from runx.farms import control
from runx.farms.base import SubmittedJob
from runx.farms.jobfiles import launched_jobs
from runx.farms.query import query, submitted_jobs, together
from runx.farms.registry import farm_type_of
from runx.local.process import LiveAttempt, signal_run
from runx.rundir.attempts import (
    Attempts,
    JobStatuses,
    attempts_of,
    clock,
    current_state,
    status_of,
)
from runx.rundir.events import Attempt
from runx.rundir.files import disk_problem
from runx.rundir.machines import locality_of, this_machine
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir
from runx.rundir.state import UNKNOWN, State

Say = Callable[[str], None]
_UNABLE, _SHARED = "runx can't end jobs of their farm", "other runs go on in their jobs"
_ORDERED = "those that wait end as they start, those that run within half a minute"
_QUIET, _POLL = 2.0, 0.05
"""Seconds of waiting before it is mentioned, and between two looks."""
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
    """How many runs were cancelled, held or released, and why others were not, by run.

    ``ended``: how many had ended, which are neither held nor released.
    """

    done: int
    left: Mapping[RunDir, str] = {}
    ended: int = 0


class Look(NamedTuple):
    """Runs as they stand: their attempts, those of them with a job, and what schedulers answer."""

    attempts: Mapping[RunDir, Attempts]
    jobs: Mapping[RunDir, SubmittedJob]
    statuses: JobStatuses

    def state(self, run: RunDir) -> State:
        """Return the state of a run."""
        return current_state(run, self.attempts[run], self.statuses, clock(run.experiment))[0]


def look_at(runs: Iterable[RunDir], warn: Say) -> Look:
    """Read runs, and ask their farms for their jobs."""
    attempts = attempts_of(runs, warn)
    jobs = {job.run: job for job in submitted_jobs(attempts.items(), warn)}
    statuses = query(jobs.values(), warn)
    without_id = [run for run, job in jobs.items() if not job.id]
    # The query may have found jobs by their names, and recorded their ids.
    fresh = attempts_of(without_id, _ignore)
    found = {job.run: job for job in submitted_jobs(fresh.items(), _ignore)}
    return Look({**attempts, **fresh}, {**jobs, **found}, statuses)


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
    look = look_at(runs, warn)
    live = live_runs(look.attempts, look.statuses)
    heeding = {each.run for each in live if each.attempt.farm and _heeds_orders(each, look.jobs)}
    given_up = {each.run for each in live if each.run not in heeding and _may_give_up(each, look)}
    others = others_of([each.run for each in live], look, set(runs))
    by_order = heeding | given_up | others.keys()
    unable = unable_to([each.run for each in live if each.run not in by_order], look.jobs, "cancel")
    if unable and len(unable) == len(live):
        raise FarmError(next(iter(unable.values())))
    live = [each for each in live if each.run not in unable]
    # What can't be asked for can't be ended by its scheduler either.
    unseen = {each.run for each in live if each.attempt.farm and not _is_seen(each.run, look)}
    heeds = by_order | unseen
    is_over = heeding | given_up
    problems = {each.run: _order(each, each.run in heeds, each.run in is_over) for each in live}
    here = [each for each in live if each.attempt.farm is None]
    signalled = [each for each in here if _terminate(each, problems[each.run], say)]
    told = {each.run for each in here} - {each.run for each in signalled} | by_order
    unwritten = {run: problem for run, problem in problems.items() if problem and run in told}
    live = [each for each in live if each.run not in unwritten]
    at_farms = [each.run for each in live if each.attempt.farm and each.run not in by_order]
    jobs = [look.jobs[run] for run in at_farms if run in look.jobs]
    refused = control.cancel(jobs, set(runs), look.statuses)
    for reason in dict.fromkeys(refused.values()):
        warn(reason)
    for each in live:
        if problem := problems[each.run]:
            say(f"{each.run.path.name}: that it is cancelled can't be written: {problem}")
    for ordered, why in ((heeding, _UNABLE), (others.keys(), _SHARED)):
        if count := len(ordered - unwritten.keys()):
            say(f"{count} told by an order, since {why}: {_ORDERED}")
    _say_given_up(given_up - unwritten.keys(), look, say)
    _wait_or_kill(signalled, grace, say)
    standing = _standing(at_farms)
    return Changed(len(live) - len(standing), {**unable, **unwritten, **standing})


def _order(live: LiveRun, heed: bool, is_over: bool) -> str:
    """Write the order to cancel a run; return why it can't be, "" where it is.

    On a full disk, or where it may not be written, a run is ended all the same if it can be.
    """
    try:
        write_order(live.run, CANCEL, live.attempt.number, heed, is_over)
    except OSError as error:
        return disk_problem(error, live.run.experiment)
    return ""


def _heeds_orders(live: LiveRun, jobs: Mapping[RunDir, SubmittedJob]) -> bool:
    return control.ends_by_order(live.run, live.attempt.number, jobs.get(live.run))


def _may_give_up(live: LiveRun, look: Look) -> bool:
    """Return whether nobody can say if a run has a job that is there, and end it if so."""
    job = look.jobs.get(live.run)
    if live.attempt.farm is None or (job and is_asked(job)):
        return False
    return live.state == UNKNOWN or (live.state == "queued" and not live.attempt.job_id)


def others_of(
    runs: Iterable[RunDir], look: Look, named: Collection[RunDir]
) -> dict[RunDir, RunDir]:
    """Return those of the runs whose job executes others, which aren't named and have not ended.

    One of these is given for each.
    """
    jobs_in = cache(launched_jobs)
    shared = {run: look.jobs[run] for run in runs if run in look.jobs and look.jobs[run].shares}
    beside = {
        run: [each for each in together(job, jobs_in) if each not in named]
        for run, job in shared.items()
    }
    attempts = attempts_of({each for others in beside.values() for each in others}, _ignore)
    alive = {each.run for each in live_runs(attempts, look.statuses)}
    first = {run: next((each for each in beside[run] if each in alive), None) for run in beside}
    return {run: other for run, other in first.items() if other}


def unable_to(
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


def _is_seen(run: RunDir, look: Look) -> bool:
    status = status_of(run, look.attempts[run], look.statuses)
    return status is not None and status.state != "unseen"


def _has_lost_id(run: RunDir, look: Look) -> bool:
    """Return whether the id of a run's job is that of another job now."""
    status = status_of(run, look.attempts[run], look.statuses)
    return status is not None and status.state == "unseen" and bool(status.name)


def _say_given_up(given_up: Collection[RunDir], look: Look, say: Say) -> None:
    for run in given_up:
        farm = look.attempts[run][-1].farm
        say(
            f"{run.path.name}: given up: {farm} can't be asked for its job, nor told to end it; if"
            " it is there after all, it will run beside the one that --resume starts"
        )


def _standing(runs: Sequence[RunDir]) -> dict[RunDir, str]:
    """Return those of the runs whose job is still there when asked for again, and their states.

    Of those that never began and are not there any more this is recorded; of those whose id is
    another job's now, too: should they be there by another name, they end by their order.
    """
    standing = list(runs)
    for pause in _PAUSES:
        if not standing:
            break
        time.sleep(pause)
        look = look_at(standing, _ignore)
        live = {each.run for each in live_runs(look.attempts, look.statuses)}
        for run in standing:
            if not look.attempts.get(run):
                continue
            never_began = run not in live and not look.attempts[run][-1].events
            if never_began or _has_lost_id(run, look):
                over = LiveRun(run, look.attempts[run][-1], "cancelled")
                _order(over, heed=False, is_over=True)
        standing = [run for run in standing if run in live]
        if not any(_is_seen(run, look) or _has_lost_id(run, look) for run in standing):
            break
    return {run: str(look.state(run)) for run in standing if run in look.attempts}


def live_runs(attempts_of: Mapping[RunDir, Attempts], statuses: JobStatuses) -> list[LiveRun]:
    """Return those of the runs that wait or run, or may, by their attempts and jobs' statuses."""
    live = []
    for run, attempts in attempts_of.items():
        state, attempts = current_state(run, attempts, statuses, clock(run.experiment))
        is_unasked = state.name == "lost" and status_of(run, attempts, statuses) is None
        is_unsure = is_unasked or state.name == UNKNOWN
        if attempts and (state.name in control.ALIVE or (is_unsure and attempts[-1].farm)):
            live.append(LiveRun(run, attempts[-1], state.name))
    return live


def is_asked(job: SubmittedJob) -> bool:
    """Return whether the farm of a job can be asked for it."""
    try:
        return bool(farm_type_of(job.farm.type).queries)
    except SettingsError:
        return False


def _terminate(live: LiveRun, problem: str, say: Say) -> bool:
    """Send TERM to a run on this machine; return whether it was sent.

    Another launcher's run that has not started, or is elsewhere, ends by its order, unless there is
    a ``problem`` with that.
    """
    started = live.attempt.event("started")
    process = started.details if started else {}
    name = live.run.path.name
    if not started:
        why = "has not started; its launcher"
    else:
        attempt = LiveAttempt(live.run, live.attempt.number, None, 0.0)
        locality = locality_of(process, this_machine())
        is_sent = locality in ("here", "beside") and signal_run(attempt, signal.SIGTERM)
        if is_sent or (locality == "here" and attempt.status() is not None):
            return True
        why = "is another user's; its launcher"
        if locality != "here":
            why = f"runs on {process.get('host')}; its launcher there"
    if not problem:
        say(f"{name}: {why} is told by the order in {live.run.orders}")
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
