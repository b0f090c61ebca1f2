"""The state of a run: what is known of its attempts, folded by one pure function.

Nothing here looks at a file or a clock. What a scheduler says of a job comes in beside what the
run itself wrote, which outweighs it.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any, NamedTuple

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
"""The state of a run of which nothing says how it stands."""


ENDED_BADLY = frozenset({"failed", "killed", "timeout", "oom", "lost"})
"""States that a person should look at; a cancelled run ended as somebody wished."""


SILENT = 150.0
"""Seconds without a beat (one is due every 30) after which a run on a farm is not heard of."""


QUIET = 3600.0
"""Seconds after which a script that tells of itself by its metrics alone may have ended."""


_OVER = ("timeout", "oom", "cancelled", "failed", "killed")
"""States of a job that ended it, and then need no silence to be believed."""


ACCOUNTED = 900.0
"""Seconds that a scheduler is given until a job that it has taken must be known to it."""


class State(NamedTuple):
    """The state of a run in one word; why, in a few; and how its last attempt ended.

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
        """Whether it has been given away and has not ended: nobody else may start it."""
        return self.name in ("queued", "running")


def state(attempts: Sequence[Attempt], status: JobStatus | None = None) -> State:
    """Return the state of a run, given the status of its last attempt's job where it was asked.

    A run that lives is alive, whatever else is true; one that was done once stays done; otherwise
    its last attempt decides. A claim whose holder died before anything happened counts for nothing.

    >>> from runx.rundir.events import Event
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
    for one in states:
        if one.name == "running":
            return one
    if states[0].name == "queued":
        return states[0]
    return next((one for one in states if one.name == "done"), states[0])


def _state_of(attempt: Attempt, status: JobStatus | None) -> State:
    word, why = status[:2] if status else (None, "")
    if attempt.event("ended"):
        return _ended(attempt, word, why)
    if attempt.farm is None:
        return _local(attempt)
    if attempt.locked:
        # Only a person who runs a farm's run by hand, here, holds its lock.
        return State("running", attempt=attempt.number)
    return _remote(attempt, word, why)


def _is_void(attempt: Attempt, status: JobStatus | None) -> bool:
    """Return whether nobody ever executes an attempt without events: its claim's holder died."""
    if attempt.is_refused:
        return True
    if attempt.process is not False or attempt.job_id is not None:
        return False
    if attempt.order == "cancel":
        return False  # It was called off while it waited.
    if attempt.wrote is not None:
        return False
    if attempt.farm is None:
        return not attempt.locked
    return status is not None and status.state == "gone"


def _ended(attempt: Attempt, word: str | None, why: str) -> State:
    """Return the state of an attempt that wrote its exit status."""
    event = attempt.event("ended")
    code = event.details.get("code") if event else None
    if code == 0:
        return State("done", code=0, attempt=attempt.number)
    name, reason = _why_ended(attempt, code, word, why)
    return State(name, reason, code, signal_of(code), attempt.number)


def _why_ended(attempt: Attempt, code: Any, word: str | None, why: str) -> tuple[str, str]:
    if attempt.order == "cancel":
        return "cancelled", ""
    if attempt.order == "timeout":
        return "timeout", ""
    if word in ("timeout", "oom", "cancelled", "preempted"):
        return word, why
    if attempt.farm is not None and word == "queued":
        return "preempted", "queued again"
    if attempt.farm is not None and (code == 75 or attempt.event("preempted")):
        if word in ("gone", "failed", "killed"):
            return "killed", "it was to run again, but its farm has not queued it"
        return "preempted", ""
    if not isinstance(code, int):
        return "failed", "it left no exit status"
    if number := signal_of(code):
        return "killed", f"by {number}" + (" after a warning" if attempt.event("warned") else "")
    if code == 75:
        return "failed", "it asks to be run again (exit status 75)"
    return "failed", f"exit status {code}"


def _local(attempt: Attempt) -> State:
    """Return the state of an attempt on this machine that wrote no end: by the run's lock."""
    number, locked = attempt.number, attempt.locked
    if locked or (locked is None and attempt.process and attempt.events):
        return State("running", attempt=number)
    if not attempt.events and attempt.order == "cancel":
        return State("cancelled", attempt=number)
    if not attempt.events and attempt.process:
        return State("queued", "about to start", attempt=number)
    if attempt.process is None and attempt.host:
        return _from_afar(attempt)
    return _vanished(attempt)


def _from_afar(attempt: Attempt) -> State:
    """Return the state of an attempt on another machine: by its launcher's beat alone."""
    number, silence = attempt.number, attempt.silence
    if not attempt.events or silence is None:
        name = "running" if attempt.events else "queued"
        return State(name, f"on {attempt.host}, not seen from here", attempt=number)
    if silence < SILENT:
        return State("running", f"on {attempt.host}", attempt=number)
    if attempt.order == "cancel":
        return State("cancelled", f"on {attempt.host}, {_silent(silence)}", attempt=number)
    return State("running", f"on {attempt.host}, {_silent(silence)}", attempt=number)


def _vanished(attempt: Attempt) -> State:
    """Return the state of an attempt that is over and wrote no end."""
    if attempt.order == "cancel":
        return State("cancelled", attempt=attempt.number)
    if attempt.order == "timeout":
        return State("timeout", attempt=attempt.number)
    if attempt.rebooted:
        return State("lost", f"{attempt.host} was started anew", attempt=attempt.number)
    # On a machine that has been up since, only SIGKILL ends run.sh without a word.
    return State("killed", "ended without a word", None, "KILL", attempt.number)


def _remote(attempt: Attempt, word: str | None, why: str) -> State:
    """Return the state of a farm's attempt that wrote no end: by its beat, then its scheduler."""
    number, silence = attempt.number, attempt.silence
    if attempt.events and silence is not None and silence < SILENT and word not in _OVER:
        return State("running", attempt=number)
    if word == "running":
        return State("running", _silent(silence) if attempt.events else "", attempt=number)
    if word == "queued":
        if attempt.events:
            return State("preempted", "queued again", attempt=number)
        # Its run.sh sees the order and ends; until then another beside it would be too many.
        called_off = f"cancelled, but still waits at {attempt.farm}"
        return State("queued", called_off if attempt.order == "cancel" else why, attempt=number)
    if attempt.events:
        return _over(attempt, word, why)
    return _waiting(attempt, word, why)


def _over(attempt: Attempt, word: str | None, why: str) -> State:
    """Return the state of a farm's attempt that has fallen silent."""
    if attempt.order or (attempt.event("preempted") and word in (None, "preempted")):
        name = {"cancel": "cancelled", "timeout": "timeout"}.get(attempt.order or "", "preempted")
        return State(name, attempt=attempt.number)
    if word in STATES:
        return State(word, why or f"says {attempt.farm}", attempt=attempt.number)
    unasked = "" if word else f"; {attempt.farm} was not asked"
    return State("lost", _silent(attempt.silence) + unasked, attempt=attempt.number)


def _waiting(attempt: Attempt, word: str | None, why: str) -> State:
    """Return the state of a farm's attempt that has written no events."""
    number = attempt.number
    if attempt.order == "cancel" and word not in STATES:
        return State("cancelled", attempt=number)
    if word in STATES:
        return State(word, why or f"says {attempt.farm}", attempt=number)
    if attempt.wrote is not None:
        return _unheard(attempt, attempt.wrote, word)
    if word == "gone" and (attempt.submitted is None or attempt.submitted >= ACCOUNTED):
        return State("lost", f"{attempt.farm} knows no job {attempt.job_id}", attempt=number)
    if attempt.job_id is None and not attempt.process:
        return State(
            "queued", f"it may be with {attempt.farm}; if it is not, runx cancel it", attempt=number
        )
    return State("queued", "" if attempt.job_id else "being submitted", attempt=number)


def _unheard(attempt: Attempt, wrote: float, word: str | None) -> State:
    """Return the state of an attempt that has written metrics and no events."""
    if wrote < QUIET and word != "gone":
        return State(
            "running", "run.sh was not called: told by its metrics", attempt=attempt.number
        )
    ago = f"it last wrote {wrote / 60:.0f} min ago"
    return State(UNKNOWN, f"{ago}; run.sh was not called to tell its end", attempt=attempt.number)


def signal_of(code: object) -> str | None:
    """Return the name of the signal that an exit status above 128 stands for.

    >>> signal_of(137), signal_of(1)
    ('KILL', None)
    """
    if not isinstance(code, int) or not 128 < code < 128 + signal.NSIG:
        return None
    try:
        return signal.Signals(code - 128).name.removeprefix("SIG")
    except ValueError:
        return str(code - 128)


def _silent(seconds: float | None) -> str:
    return "never heard of" if seconds is None else f"silent for {seconds / 60:.0f} min"
