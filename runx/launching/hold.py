"""Runs that wait are held and released: by the scheduler of their farm, or here by a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from runx.farms import control
from runx.farms.jobfiles import name_of
from runx.launching.control import Changed, Look, is_asked, look_at, others_of, unable_to
from runx.rundir.files import disk_problem, to_json, write_whole
from runx.rundir.held import HELD, let_go
from runx.rundir.machines import whoami
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.state import UNKNOWN, State

Say = Callable[[str], None]
_NOT_MEANT = ("running", "planned")
_UNSURE = ("preempted", "planned", UNKNOWN)
"""States, besides those of what is alive, in which a run may have a job that waits."""


def hold(runs: Sequence[RunDir], warn: Say) -> Changed:
    """Hold the waiting jobs of runs."""
    return _change(runs, "hold", warn)


def release(runs: Sequence[RunDir], say: Say, warn: Say) -> Changed:
    """Release the held jobs of runs, and let their experiments start runs again after failures."""
    folders = dict.fromkeys(run.experiment for run in runs)
    reasons = {folder.name: let_go(ExperimentDir(folder)) for folder in folders}
    for name, reason in reasons.items():
        if reason:
            say(f"{name}: no longer {reason}")
    return _change(runs, "release", warn, any(reasons.values()))


def _change(runs: Sequence[RunDir], verb: str, warn: Say, has_changed: bool = False) -> Changed:
    look = look_at(runs, warn)
    here = {run for run in look.attempts if _is_held_here(run, verb, look)}
    problems = {run: why for run in here if (why := _change_here(run, verb, look))}
    farms = {run: each for run, each in look.attempts.items() if run not in here}
    look = look._replace(attempts=farms)
    changed = _at_farms(runs, look, verb, has_changed or len(here) > len(problems))
    done = changed.done + len(here) - len(problems)
    return changed._replace(done=done, left={**changed.left, **problems})


def _is_held_here(run: RunDir, verb: str, look: Look) -> bool:
    """Return whether a run waits in a launcher here, or is to be released from that."""
    if verb == "release" and run.held.exists():
        return True
    attempts = look.attempts[run]
    return bool(attempts) and attempts[-1].waits and look.state(run).name == "queued"


def _change_here(run: RunDir, verb: str, look: Look) -> str:
    """Hold or release a run here; return why it can't be, "" where it is."""
    try:
        if verb == "release":
            run.held.unlink(missing_ok=True)
            return ""
        run.orders.mkdir(exist_ok=True)
        write_whole(run.held, to_json({"time": time.time(), "by": whoami()}))
        if not run.claim(look.attempts[run][-1].number).exists():
            return ""
        run.held.unlink(missing_ok=True)
    except OSError as error:
        return disk_problem(error, run.experiment)
    return "it has just begun"


def _at_farms(runs: Sequence[RunDir], look: Look, verb: str, has_changed: bool) -> Changed:
    """Hold or release the jobs of runs, those that have been looked at."""
    states = {run: look.state(run) for run in look.attempts}
    live = [run for run in states if states[run].alive or states[run].name in _UNSURE]
    left = {run: _why_not(run, states[run], look) for run in live if not _waits(run, look)}
    others = others_of([run for run in live if run not in left], look, set(runs))
    left |= {run: _with_others(verb, other) for run, other in others.items()}
    left |= unable_to([run for run in live if run not in left], look.jobs, verb)
    jobs = [look.jobs[run] for run in live if run not in left]
    left |= control.change(jobs, verb, look.statuses, set(runs))
    if (done := len(live) - len(left)) or has_changed:
        # That others run already, or were never submitted, is no reason to complain.
        left = {run: why for run, why in left.items() if not _is_not_meant(states[run])}
    return Changed(done, left, len(states) - len(live))


def _is_not_meant(state: State) -> bool:
    return state.name in _NOT_MEANT and not state.reason.startswith(HELD)


def _why_not(run: RunDir, state: State, look: Look) -> str:
    """Return why a run can't be held or released."""
    if state.name == "planned" and state.reason.startswith(HELD):
        return "its job came while it was held, and has ended; --resume starts it"
    if run in look.jobs:
        return f"it is {state}"
    return f"it is {state}; only what waits, here or at a farm, can be held and released"


def _with_others(verb: str, other: RunDir) -> str:
    """Return why a run can't be held or released alone."""
    return f"its job executes {name_of(other)}, too: {verb} all of its runs, or none"


def _waits(run: RunDir, look: Look) -> bool:
    """Return whether a run has a job that waits, or one of a farm that can't be asked for any."""
    job = look.jobs.get(run)
    if job is None or not job.id:
        return False
    status = look.statuses.get(job.key)
    return status.state == "queued" if status else not is_asked(job)
