"""The state of an attempt whose script has ended, by the exit status that it left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runx.rundir.states import PASSED, UNKNOWN, State

if TYPE_CHECKING:
    from runx.rundir.events import Attempt


def ended(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of an attempt that wrote its exit status."""
    event = attempt.event("ended") or attempt.event("left")
    code = event.details.get("code") if event else None
    if event and event.details.get("held"):
        # Its job came while too many others had failed; it has begun nothing.
        return State("planned", _problem(attempt), attempt=attempt.number)
    for name in PASSED:
        if event and (why := event.details.get(name)):
            return State(name, str(why), code, attempt=attempt.number)
    if code == 0:
        return State("done", code=0, attempt=attempt.number)
    if event and (before := event.details.get("blocked")):
        return State("blocked", f"{before} isn't done", code, attempt=attempt.number)
    if event and code is None and event.details.get("by") == "logx" and attempt.order is None:
        # A script left in a way that shows it no status.
        return State(UNKNOWN, _problem(attempt), attempt=attempt.number)
    name, reason = _name_and_reason(attempt, code, job_state, reason)
    return State(name, reason, code, signal_of(code), attempt.number)


def _name_and_reason(
    attempt: Attempt, code: Any, job_state: str | None, reason: str
) -> tuple[str, str]:
    """Return the name and reason of the state of an attempt that ended, but not with 0."""
    if attempt.order == "cancel":
        return ("queued", still_there(attempt)) if job_state == "queued" else ("cancelled", "")
    if attempt.order == "timeout":
        return "timeout", ""
    if problem := _problem(attempt):
        return "failed", problem
    if job_state in ("timeout", "oom", "cancelled", "preempted"):
        return job_state, reason
    if attempt.farm is not None and job_state == "queued":
        return "preempted", queued_again(reason)
    if attempt.farm is not None and (code == 75 or attempt.event("preempted")):
        if job_state in ("gone", "failed", "killed"):
            return "killed", "it was to run again, but its farm has not queued it"
        return "preempted", _tried_again(attempt)
    if not isinstance(code, int):
        return "failed", "it left no exit status"
    if signal_name := signal_of(code):
        warned = " after a warning" if attempt.event("warned") else ""
        return "killed", f"by {signal_name}{warned}"
    if code == 75:
        return "failed", "it asks to be run again (exit status 75)"
    return "failed", f"exit status {code}"


def _tried_again(attempt: Attempt) -> str:
    """Return for which cause of RETRIES a run is to start again, "" where that isn't why."""
    event = attempt.event("preempted")
    cause = event.details.get("retry") if event else None
    return f"{cause}: to be tried again" if cause else ""


def _problem(attempt: Attempt) -> str:
    """Return why CMD was not executed, "" where it was."""
    ended, setup = attempt.event("ended"), attempt.event("setup")
    if setup:
        details = setup.details
        return f"SETUP failed: {details.get('command')}: exit status {details.get('code')}"
    return str(ended.details.get("reason", "")) if ended else ""


def lingering(attempt: Attempt) -> str:
    """Return what goes on of a run whose script has ended, "" where that goes on."""
    left = attempt.event("left")
    if left is None:
        return ""
    code, processes = left.details.get("code"), left.details.get("processes")
    return f"its script ended with {code}; still there: {processes}"


def still_there(attempt: Attempt) -> str:
    """Return the reason of a run that was cancelled and whose job is there."""
    return f"cancelled, but still at {attempt.farm}"


def queued_again(reason: str) -> str:
    """Return the reason of a run whose job waits again, given why it does."""
    return f"queued again: {reason}" if reason else "queued again"


def signal_of(code: object) -> str | None:
    """Return the name of the signal that an exit status above 128 stands for.

    >>> signal_of(137), signal_of(1)
    ('KILL', None)
    """
    import signal  # not at start

    if not isinstance(code, int) or not 128 < code < 128 + signal.NSIG:
        return None
    try:
        return signal.Signals(code - 128).name.removeprefix("SIG")
    except ValueError:
        return str(code - 128)
