"""The state of a farm's attempt that has not ended, by its files and its scheduler."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runx.rundir.end_state import ended, lingering, queued_again, still_there
from runx.rundir.states import QUIET, SILENT, STATES, UNKNOWN, State, silent_for

if TYPE_CHECKING:
    from runx.rundir.events import Attempt, JobStatus

_OVER = ("timeout", "oom", "cancelled", "failed", "killed")
"""States of a job that has ended: they count although the run's last heartbeat is recent."""
ACCOUNTED = 900.0
"""Seconds after its submission during which a scheduler may not list a job yet."""


def of_shared_job(attempt: Attempt, status: JobStatus) -> JobStatus | None:
    """Return what the status of a job that executes several attempts says of one of them.

    What ends it ends those that had begun; how it ends says nothing of those that had ended before.

    >>> from runx.rundir.events import Attempt, Event, JobStatus
    >>> of_shared_job(Attempt(1, (Event("started"),)), JobStatus("timeout")).state
    'timeout'
    >>> of_shared_job(Attempt(1), JobStatus("running"))[:2]
    ('queued', 'its job runs')
    """
    is_cancelled = attempt.order == "cancel"
    if attempt.event("ended"):
        is_stopped = any(map(attempt.event, ("preempted", "signalled", "warned")))
        return status if is_stopped and not is_cancelled else None
    if attempt.events:
        is_queued_anew = status.state == "queued" and is_cancelled
        is_over = status.state in ("done", "failed") or is_queued_anew
        return status._replace(state="gone", reason="") if is_over else status
    if is_cancelled:
        return status._replace(state="gone", reason="")  # It is passed over, or ends as it starts.
    if status.state == "running":
        return status._replace(state="queued", reason="its job runs")
    if status.state == "done":
        return status._replace(state="lost", reason="its job has ended without it")
    return status


def begun(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of a farm's attempt with events but no end, by its heartbeat and job."""
    number, silence = attempt.number, attempt.silence
    is_cancelled = attempt.order == "cancel"
    is_over = attempt.replaced or job_state in _OVER
    if silence is not None and silence < SILENT and not is_over:
        return State(
            "running", still_there(attempt) if is_cancelled else lingering(attempt), attempt=number
        )
    if job_state == "running":
        why = f"{still_there(attempt)}, " if is_cancelled else ""
        return State("running", why + silent_for(silence), attempt=number)
    if job_state == "queued":
        if is_cancelled:
            return State("queued", still_there(attempt), attempt=number)
        return State("preempted", queued_again(reason), attempt=number)
    if attempt.event("left"):
        return ended(attempt, job_state, reason)
    if job_state == UNKNOWN:
        return State(UNKNOWN, f"{attempt.farm} says {reason}", attempt=number)
    if is_cancelled and attempt.called_off:
        return State("cancelled", attempt=number)
    if attempt.event("preempted") and job_state == "unseen" and not attempt.order:
        return State("preempted", reason, attempt=number)
    if job_state == "unseen":
        return State("running", f"{silent_for(silence)}; {reason}", attempt=number)
    if attempt.order or (attempt.event("preempted") and job_state in (None, "preempted")):
        name = {"cancel": "cancelled", "timeout": "timeout"}.get(attempt.order or "", "preempted")
        return State(name, attempt=number)
    if job_state == "done" and (other := _starter(attempt)):
        why = f"{silent_for(silence)}; it was started by job {other}, submitted twice"
        return State("lost", why, attempt=number)
    if job_state in STATES:
        return State(job_state, reason or f"says {attempt.farm}", attempt=number)
    unasked = "" if job_state else f"; {attempt.farm} was not asked"
    return State("lost", silent_for(silence) + unasked, attempt=number)


def waiting(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of a farm's attempt without events, by its job."""
    number = attempt.number
    if attempt.order == "cancel":
        return _called_off(attempt, job_state, reason)
    if job_state == "running":
        return State("running", attempt=number)
    if job_state == "queued":
        return State("queued", reason, attempt=number)
    if job_state == UNKNOWN:
        return State(UNKNOWN, f"{attempt.farm} says {reason}", attempt=number)
    if job_state in STATES:
        reason = reason or f"says {attempt.farm}"
        if job_state in ("failed", "killed") and attempt.output_age is None:
            reason += "; run.sh wrote nothing: can its node see LOGROOT?"
        return State(job_state, reason, attempt=number)
    if attempt.output_age is not None:
        return _without_script(attempt, attempt.output_age, job_state)
    age = attempt.submission_age
    if job_state == "gone" and (age is None or age >= ACCOUNTED):
        return State("lost", f"{attempt.farm} knows no job {attempt.job_id}", attempt=number)
    if job_state == "unseen":
        return State("queued", reason, attempt=number)
    if attempt.job_id is None and not attempt.process:
        reason = f"it may be with {attempt.farm}; if it is not, runx cancel it"
        return State("queued", reason, attempt=number)
    reason = "being submitted" if attempt.job_id is None else ""
    return State("queued", reason, attempt=number)


def _called_off(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of a farm's attempt without events that was cancelled, by its job.

    Its run.sh will read the order and end; until then no other attempt may start.
    """
    number = attempt.number
    if job_state in ("running", "queued"):
        return State(job_state, still_there(attempt), attempt=number)
    if job_state == UNKNOWN:
        return State(UNKNOWN, f"cancelled, but {attempt.farm} says {reason}", attempt=number)
    if job_state == "done":
        return State("done", reason or f"says {attempt.farm}", attempt=number)
    if attempt.called_off or job_state not in (None, "unseen"):
        return State("cancelled", attempt=number)
    why = reason or f"{attempt.farm} was not asked"
    return State("queued", f"cancelled, but perhaps still at {attempt.farm}: {why}", attempt=number)


def _starter(attempt: Attempt) -> str:
    """Return the job that started an attempt, "" unless it is another than the recorded one.

    Ids are compared by the number that they begin with: an index is written in several ways.
    """
    started = attempt.event("started")
    job = str(started.details.get("job", "")) if started else ""
    mine, its = (re.match(r"\d+", id) for id in (attempt.job_id or "", job))
    return job if mine and its and mine[0] != its[0] else ""


def _without_script(attempt: Attempt, output_age: float, job_state: str | None) -> State:
    """Return the state of an attempt that has written metrics and, without run.sh, no events."""
    if output_age < QUIET and job_state != "gone":
        return State(
            "running", "run.sh was not called: told by its metrics", attempt=attempt.number
        )
    ago = f"it last wrote {output_age / 60:.0f} min ago"
    return State(UNKNOWN, f"{ago}; run.sh was not called to tell its end", attempt=attempt.number)
