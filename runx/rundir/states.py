"""The states that a run can be in."""

from __future__ import annotations

from typing import NamedTuple

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
    "blocked",
    "pruned",
    "skipped",
)
"""The names of the states that a run can be in."""
PASSED = ("pruned", "skipped")
"""The states of runs of a search that were stopped early, or weren't needed: settled, not done."""
ENDED_WELL = ("done", *PASSED)
"""The states of runs after which others go on that need them."""
AFTER = "after "
"""What the reason begins with of a step that was passed over, since another one was."""
UNKNOWN = "unknown"
"""The state of a run whose files don't show one."""
ENDED_BADLY = frozenset({"failed", "killed", "timeout", "oom", "lost"})
"""The states of failed runs; a cancelled run ended on purpose."""
SILENT = 150.0
"""Seconds without a heartbeat (one is due every 30) after which a farm's run counts as silent."""
QUIET = 3600.0
"""Seconds without new metrics after which a script that has no run.sh may have ended."""


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


def silent_for(seconds: float | None) -> str:
    """Return how long a run has been silent, as text."""
    return "never heard of" if seconds is None else f"silent for {seconds / 60:.0f} min"
