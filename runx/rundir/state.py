"""The state of a run: a pure function of its attempts and of the status of its last job.

What the run itself wrote outweighs the status that its scheduler gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from runx.rundir.events import Attempt, JobStatus

STATES = (
    "planned",
    "queued",
    "running",
    "done",
    "failed",
    "killed",
    "timeout",
    "oom",
    "preempted",
    "cancelled",
    "lost",
)
"""The names of the states that a run can be in."""
UNKNOWN = "unknown"
"""The state of a run whose files don't show one."""
ENDED_BADLY = frozenset({"failed", "killed", "timeout", "oom", "lost"})
"""The states of failed runs; a cancelled run ended on purpose."""
SILENT = 150.0
"""Seconds without a heartbeat (one is due every 30) after which a farm's run counts as silent."""
QUIET = 3600.0
"""Seconds without new metrics after which a script that has no run.sh may have ended."""
_OVER = ("timeout", "oom", "cancelled", "failed", "killed")
"""States of a job that has ended: they count although the run's last heartbeat is recent."""
ACCOUNTED = 900.0
"""Seconds after its submission during which a scheduler may not list a job yet."""


class State(NamedTuple):
    """The state of a run: its name, the reason, and the exit code and signal of its attempt.

    >>> print(State("running", "silent for 12 min", attempt=1))
    running (silent for 12 min)
    """

    name: str
    reason: str = ""
    code: int | None = None
    signal: str | None = None
    attempt: int = 0

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})" if self.reason else self.name

    @property
    def alive(self) -> bool:
        """Whether it is queued or running, so that nobody else may start it."""
        return self.name in ("queued", "running")


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
        return _ended(attempt, job_state, reason)
    if attempt.farm is None:
        return _local(attempt)
    if attempt.locked:
        # Its run.sh was started by hand on this machine.
        return State("running", attempt=attempt.number)
    if attempt.events:
        return _on_farm(attempt, job_state, reason)
    return _waiting(attempt, job_state, reason)


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
        return not attempt.locked
    return status is not None and status.state == "gone"


def _ended(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of an attempt that wrote its exit status."""
    event = attempt.event("ended") or attempt.event("left")
    code = event.details.get("code") if event else None
    if code == 0:
        return State("done", code=0, attempt=attempt.number)
    name, reason = _name_and_reason(attempt, code, job_state, reason)
    return State(name, reason, code, signal_of(code), attempt.number)


def _name_and_reason(
    attempt: Attempt, code: Any, job_state: str | None, reason: str
) -> tuple[str, str]:
    """Return the name and reason of the state of an attempt that ended, but not with 0."""
    if attempt.order == "cancel":
        return ("queued", _still(attempt)) if job_state == "queued" else ("cancelled", "")
    if attempt.order == "timeout":
        return "timeout", ""
    if problem := _problem(attempt):
        return "failed", problem
    if job_state in ("timeout", "oom", "cancelled", "preempted"):
        return job_state, reason
    if attempt.farm is not None and job_state == "queued":
        return "preempted", _again(reason)
    if attempt.farm is not None and (code == 75 or attempt.event("preempted")):
        if job_state in ("gone", "failed", "killed"):
            return "killed", "it was to run again, but its farm has not queued it"
        return "preempted", ""
    if not isinstance(code, int):
        return "failed", "it left no exit status"
    if signal_name := signal_of(code):
        warned = " after a warning" if attempt.event("warned") else ""
        return "killed", f"by {signal_name}{warned}"
    if code == 75:
        return "failed", "it asks to be run again (exit status 75)"
    return "failed", f"exit status {code}"


def _problem(attempt: Attempt) -> str:
    """Return why CMD was not executed, "" where it was."""
    ended, setup = attempt.event("ended"), attempt.event("setup")
    if setup:
        details = setup.details
        return f"SETUP failed: {details.get('command')}: exit status {details.get('code')}"
    return str(ended.details.get("reason", "")) if ended else ""


def _lingering(attempt: Attempt) -> str:
    """Return what goes on of a run whose script has ended, "" where that goes on."""
    left = attempt.event("left")
    if left is None:
        return ""
    code, processes = left.details.get("code"), left.details.get("processes")
    return f"its script ended with {code}; still there: {processes}"


def _local(attempt: Attempt) -> State:
    """Return the state of an attempt without an end on this machine, by the run's lock."""
    number, locked = attempt.number, attempt.locked
    if locked or (locked is None and attempt.process and attempt.events):
        return State("running", _lingering(attempt), attempt=number)
    if not attempt.events and attempt.order == "cancel":
        return State("cancelled", attempt=number)
    if not attempt.events and attempt.process:
        return State("queued", "about to start", attempt=number)
    if attempt.process is None and attempt.host:
        return _on_other_machine(attempt)
    return _dead(attempt)


def _on_other_machine(attempt: Attempt) -> State:
    """Return the state of an attempt on another machine that no farm has, by its heartbeat."""
    number, silence = attempt.number, attempt.silence
    if not attempt.events or silence is None:
        name = "running" if attempt.events else "queued"
        return State(name, f"on {attempt.host}, not seen from here", attempt=number)
    if silence < SILENT:
        return State("running", f"on {attempt.host}", attempt=number)
    if attempt.order == "cancel":
        return State("cancelled", f"on {attempt.host}, {_silent(silence)}", attempt=number)
    return State("running", f"on {attempt.host}, {_silent(silence)}", attempt=number)


def _dead(attempt: Attempt) -> State:
    """Return the state of an attempt on this machine that is over without an end."""
    if attempt.order == "cancel":
        return State("cancelled", attempt=attempt.number)
    if attempt.order == "timeout":
        return State("timeout", attempt=attempt.number)
    if attempt.event("left"):
        return _ended(attempt, None, "")
    if attempt.rebooted:
        return State("lost", f"{attempt.host} was started anew", attempt=attempt.number)
    # On a machine that has been up since, run.sh writes an end unless it gets SIGKILL.
    return State("killed", "ended without a word", None, "KILL", attempt.number)


def _on_farm(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of a farm's attempt with events but no end, by its heartbeat and job."""
    number, silence = attempt.number, attempt.silence
    is_cancelled = attempt.order == "cancel"
    if silence is not None and silence < SILENT and job_state not in _OVER:
        return State(
            "running", _still(attempt) if is_cancelled else _lingering(attempt), attempt=number
        )
    if job_state == "running":
        why = f"{_still(attempt)}, " if is_cancelled else ""
        return State("running", why + _silent(silence), attempt=number)
    if job_state == "queued":
        name = "queued" if is_cancelled else "preempted"
        return State(name, _still(attempt) if is_cancelled else _again(reason), attempt=number)
    if attempt.event("left"):
        return _ended(attempt, job_state, reason)
    if job_state == UNKNOWN:
        return State(UNKNOWN, f"{attempt.farm} says {reason}", attempt=number)
    if attempt.event("preempted") and job_state == "unseen" and not attempt.order:
        return State("preempted", reason, attempt=number)
    if job_state == "unseen":
        return State("running", f"{_silent(silence)}; {reason}", attempt=number)
    if attempt.order or (attempt.event("preempted") and job_state in (None, "preempted")):
        name = {"cancel": "cancelled", "timeout": "timeout"}.get(attempt.order or "", "preempted")
        return State(name, attempt=number)
    if job_state in STATES:
        return State(job_state, reason or f"says {attempt.farm}", attempt=number)
    unasked = "" if job_state else f"; {attempt.farm} was not asked"
    return State("lost", _silent(silence) + unasked, attempt=number)


def _waiting(attempt: Attempt, job_state: str | None, reason: str) -> State:
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
    return State("queued", "" if attempt.job_id else "being submitted", attempt=number)


def _called_off(attempt: Attempt, job_state: str | None, reason: str) -> State:
    """Return the state of a farm's attempt without events that was cancelled, by its job.

    Its run.sh will read the order and end; until then no other attempt may start.
    """
    number = attempt.number
    if job_state in ("running", "queued"):
        return State(job_state, _still(attempt), attempt=number)
    if job_state == UNKNOWN:
        return State(UNKNOWN, f"cancelled, but {attempt.farm} says {reason}", attempt=number)
    if job_state == "done":
        return State("done", reason or f"says {attempt.farm}", attempt=number)
    if attempt.called_off or job_state not in (None, "unseen"):
        return State("cancelled", attempt=number)
    why = reason or f"{attempt.farm} was not asked"
    return State("queued", f"cancelled, but perhaps still at {attempt.farm}: {why}", attempt=number)


def _still(attempt: Attempt) -> str:
    return f"cancelled, but still at {attempt.farm}"


def _again(reason: str) -> str:
    return f"queued again: {reason}" if reason else "queued again"


def _without_script(attempt: Attempt, output_age: float, job_state: str | None) -> State:
    """Return the state of an attempt that has written metrics and, without run.sh, no events."""
    if output_age < QUIET and job_state != "gone":
        return State(
            "running", "run.sh was not called: told by its metrics", attempt=attempt.number
        )
    ago = f"it last wrote {output_age / 60:.0f} min ago"
    return State(UNKNOWN, f"{ago}; run.sh was not called to tell its end", attempt=attempt.number)


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


def _silent(seconds: float | None) -> str:
    return "never heard of" if seconds is None else f"silent for {seconds / 60:.0f} min"
