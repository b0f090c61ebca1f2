"""The flags that say how runs are executed on this machine."""

from __future__ import annotations

from typing import Any, NamedTuple

import click


class Local(NamedTuple):
    """What they say; times are in seconds.

    ``jobs`` is None where nothing is said, 0 for auto; ``unasked``: no -i was given. ``again`` goes
    on with the launch, where the command line doesn't.
    """

    jobs: int | None = None
    gpus_per_run: int | None = None
    retries: int = 0
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    stream: bool = False
    attach: bool = False
    unasked: bool = False
    again: str = ""


def local_options(asked: dict[str, Any]) -> Local:
    """Take those flags out of the ones that a command was given."""
    jobs = asked.pop("jobs")
    if jobs not in (None, "auto") and not (jobs.isdecimal() and int(jobs) > 0):
        raise click.UsageError(f"-j {jobs}: say how many runs at a time, or auto")
    most = asked.pop("max_failures")
    names = ("gpus_per_run", "retries", "timeout", "grace", "stream", "attach")
    return Local(
        jobs=None if jobs is None else 0 if jobs == "auto" else int(jobs),
        max_failures=1 if asked.pop("fail_fast") else most,
        **{name: asked.pop(name) for name in names},
    )
