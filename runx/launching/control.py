"""Ending, holding and releasing runs: those here by signal, those of farms by their schedulers."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from runx.farms import control
from runx.farms.query import jobs_of, query, submitted_jobs
from runx.local.process import Live, tell
from runx.rundir.attempts import Attempts, Words, clock, here, read_attempts, state_said, status_of
from runx.rundir.events import Attempt
from runx.rundir.orders import CANCEL, give
from runx.rundir.paths import RunDir

Say = Callable[[str], None]


_ORDERED = "those that wait end as they start, those that run within half a minute"


_PATIENCE, _PAUSE = 2.0, 0.05


GRACE = 30.0
"""Seconds that a run on this machine is given to end, once it has been told."""


class Alive(NamedTuple):
    """A run that has not come to its end: its last attempt, and its state."""

    run: RunDir
    attempt: Attempt
    state: str


def alive(read: Mapping[RunDir, Attempts], statuses: Words) -> list[Alive]:
    """Return those of the runs that wait or run, by their attempts and what schedulers say."""
    living = []
    for run, attempts in read.items():
        now, attempts = state_said(run, attempts, statuses, clock(run.path.parent))
        unasked = now.name == "lost" and status_of(run, attempts, statuses) is None
        if attempts and (now.name in control.ALIVE or (unasked and attempts[-1].farm)):
            living.append(Alive(run, attempts[-1], now.name))
    return living


def cancel(runs: Sequence[RunDir], say: Say, warn: Say, grace: float = GRACE) -> int:
    """End runs on purpose and return how many; an order is written first, which explains their end.

    ``grace`` is the seconds that a run here is given after TERM until KILL.
    """
    attempts = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    jobs = {job.run: job for job in submitted_jobs(attempts.items(), warn)}
    statuses = query(jobs.values(), warn)
    living = alive(attempts, statuses)
    on_farms = [one for one in living if one.attempt.farm]
    alone = {
        one.run
        for one in on_farms
        if control.heeds_orders(one.run, one.attempt.number, jobs.get(one.run))
    }
    theirs = [jobs[one.run] for one in on_farms if one.run in jobs and one.run not in alone]
    # Before any order is written: a run that counts as cancelled while its job still waits would
    # be started again beside it.
    control.check_known(theirs, "cancel")
    for one in living:
        give(one.run, CANCEL, one.attempt.number, heed=one.run in alone)
    signalled = [one for one in living if one.attempt.farm is None and _end_here(one, say)]
    control.cancel(theirs, set(runs), statuses)
    if alone:
        say(f"{len(alone)} told by an order, since runx can't end jobs of their farm: {_ORDERED}")
    _insist(signalled, grace, say)
    return len(living)


def hold(runs: Sequence[RunDir], warn: Say) -> int:
    """Keep waiting jobs of runs from starting; return how many."""
    jobs = jobs_of(runs, warn)
    return control.change(jobs, "hold", query(jobs, warn))


def release(runs: Sequence[RunDir], warn: Say) -> int:
    """Let held jobs of runs start; return how many."""
    jobs = jobs_of(runs, warn)
    return control.change(jobs, "release", query(jobs, warn))


def _end_here(one: Alive, say: Say) -> bool:
    """Tell the run.sh of this machine's run, once it is sure that it is the one that was meant."""
    started = one.attempt.event("started")
    who = started.details if started else {}
    name = one.run.path.name
    if not started:
        say(f"{name}: has not started; its launcher is told by the order in {one.run.orders}")
    elif who.get("host") != here().host:
        say(f"{name}: runs on {who.get('host')}; its launcher there is told by the order")
    else:
        tell(Live(one.run, one.attempt.number, None, 0.0), signal.SIGTERM)
        return True
    return False


def _insist(told: Sequence[Alive], grace: float, say: Say) -> None:
    """Wait for the ends of this machine's runs; KILL what has not heeded TERM by then."""
    begun = time.monotonic()
    lives = [Live(one.run, one.attempt.number, None, begun) for one in told]
    noted = False
    while (lives := [one for one in lives if one.status() is None]) and (
        (waited := time.monotonic() - begun) < grace
    ):
        if waited > _PATIENCE and not noted:
            say(f"{len(lives)} have not ended yet; what still goes on after {grace:g} s is killed")
            noted = True
        time.sleep(_PAUSE)
    for one in lives:
        say(f"{one.dir.path.name}: has not heeded TERM; killed")
        tell(one, signal.SIGKILL)
