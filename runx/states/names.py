"""The names of the states that a run can be in."""

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
UNKNOWN = "unknown"
"""The state of a run of which nothing says how it stands."""
ENDED_BADLY = frozenset({"failed", "killed", "timeout", "oom", "lost"})
"""States that a person should look at; a cancelled run ended as somebody wished."""
