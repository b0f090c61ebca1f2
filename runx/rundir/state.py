"""The state of a run: a pure function of its attempts and of the status of its last job.

What the run itself wrote outweighs the status that its scheduler gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runx.rundir.end_state import ended, lingering, signal_of
from runx.rundir.farm_state import begun, of_shared_job, waiting
from runx.rundir.states import ENDED_BADLY, QUIET, SILENT, STATES, UNKNOWN, State, silent_for

if TYPE_CHECKING:
    from runx.rundir.events import Attempt, JobStatus

__all__ = ["ENDED_BADLY", "QUIET", "SILENT", "STATES", "UNKNOWN", "State", "signal_of", "state"]


def state(attempts: Sequence[Attempt], status: JobStatus | None = None) -> State:
    """Return the state of a run, given the status of its last attempt's job where it was queried.

    A run with a running attempt is running, and one with an attempt that is done is done; else its
    last attempt decides. An attempt without events whose claim's process has died is left out.

    >>> from runx.rundir.events import Attempt, Event
    >>> ended = Event("ended", details={"code": 0})
    >>> state([Attempt(1, (Event("started"), ended))]).name
    'done'
    """
    last = attempts[-1].number if attempts else 0
    jobs = [attempt.job for attempt in attempts if attempt.job and attempt.job.id]
    if status and jobs and jobs[-1].shares:
        status = of_shared_job(attempts[-1], status)
    states = [
        _state_of(attempt, status if attempt.number == last else None)
        for attempt in reversed(attempts)
        if attempt.events or not _is_void(attempt, status)
    ]
    if not states:
        return State("planned")
    running = next((each for each in states if each.name == "running"), None)
    if running or states[0].name == "queued":
        return running or states[0]
    return next((each for each in states if each.name == "done"), states[0])


def _state_of(attempt: Attempt, status: JobStatus | None) -> State:
    """Return the state of an attempt, given the status of its job where it was queried."""
    job_state, reason = status[:2] if status else (None, "")
    if attempt.event("ended"):
        return ended(attempt, job_state, reason)
    if attempt.farm is None:
        return _local(attempt)
    if attempt.locked:
        # Its run.sh was started by hand on this machine.
        return State("running", attempt=attempt.number)
    if attempt.events:
        return begun(attempt, job_state, reason)
    return waiting(attempt, job_state, reason)


def _is_void(attempt: Attempt, status: JobStatus | None) -> bool:
    """Return whether nobody will execute an attempt without events: its claim's process died."""
    if attempt.job is not None and attempt.job.refused:
        return True
    if attempt.process is not False or attempt.job_id is not None:
        return False
    if attempt.order == "cancel":
        return False  # It was cancelled while it was queued.
    if attempt.output_age is not None:
        return False
    if attempt.farm is None:
        return attempt.waits or not attempt.locked
    return status is not None and status.state == "gone"


def _local(attempt: Attempt) -> State:
    """Return the state of an attempt without an end on this machine, by the run's lock."""
    number, locked = attempt.number, attempt.locked
    if attempt.waits:
        return _waiting(attempt)
    if locked or (locked is None and attempt.process and attempt.events):
        return State("running", lingering(attempt), attempt=number)
    if not attempt.events and attempt.order == "cancel":
        return State("cancelled", attempt=number)
    if not attempt.events and attempt.process:
        return State("queued", "about to start", attempt=number)
    if attempt.process is None and attempt.host:
        return _on_other_machine(attempt)
    return _dead(attempt)


def _waiting(attempt: Attempt) -> State:
    """Return the state of an attempt that a launcher here will claim when its turn comes."""
    if attempt.order == "cancel":
        return State("cancelled", attempt=attempt.number)
    if attempt.process is None:
        return _on_other_machine(attempt)
    if attempt.held:
        return State("queued", "held; runx release lets it start", attempt=attempt.number)
    what = attempt.waits_for or "its turn"
    return State("queued", f"its launcher waits for {what}", attempt=attempt.number)


def _on_other_machine(attempt: Attempt) -> State:
    """Return the state of an attempt on another machine that no farm has, by its heartbeat.

    One without events has that of its launcher.
    """
    number, silence = attempt.number, attempt.silence
    name = "running" if attempt.events else "queued"
    if silence is None:
        return State(name, f"on {attempt.host}, not seen from here", attempt=number)
    if silence < SILENT:
        return State(name, f"on {attempt.host}", attempt=number)
    where = f"on {attempt.host}, {silent_for(silence)}"
    if attempt.order == "cancel":
        return State("cancelled", where, attempt=number)
    advice = "; if it is gone there, runx cancel it, then --resume" if silence >= QUIET else ""
    return State(name, where + advice, attempt=number)


def _dead(attempt: Attempt) -> State:
    """Return the state of an attempt on this machine that is over without an end."""
    if attempt.order == "cancel":
        return State("cancelled", attempt=attempt.number)
    if attempt.order in ("timeout", "prune"):
        name = "timeout" if attempt.order == "timeout" else "pruned"
        return State(name, attempt=attempt.number)
    if attempt.event("left"):
        return ended(attempt, None, "")
    if attempt.locality in ("before", "renamed"):
        return State("lost", f"{attempt.host} was started anew", attempt=attempt.number)
    # On a machine that has been up since, run.sh writes an end unless it gets SIGKILL.
    return State("killed", "ended without a word", None, "KILL", attempt.number)
