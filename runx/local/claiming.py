"""Who executes an attempt here: launchers wait for their turn, and the first to claim it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal, TypeAlias

from runx.local.tasks import Task
from runx.rundir.claims import claim_text, take, take_waiting
from runx.rundir.files import sync_disk
from runx.rundir.orders import CANCEL, order_of
from runx.rundir.record import staged_code

Say = Callable[[str], None]
ClaimResult: TypeAlias = Literal["ours", "cancelled", "theirs"]
"""Who executes an attempt: this launch, nobody as it was cancelled, or another launch."""


def claimed(task: Task, say: Say, launch: str | None = None) -> ClaimResult:
    """Claim an attempt if it is neither cancelled nor begun; return whose it is.

    It is called while no process of the run is alive. One that was cancelled is claimed, too: it
    is over.
    """
    run, attempt = task.run, task.attempt

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if order_of(run, attempt, warn) == CANCEL:
        with suppress(OSError):
            _take(task, say, launch)
        return "cancelled"
    if run.events(attempt).exists():
        return "theirs"
    return "ours" if _take(task, say, launch) else "theirs"


def _take(task: Task, say: Say, launch: str | None) -> bool:
    run, attempt = task.run, task.attempt
    is_ours = take_waiting(run, attempt, launch) if launch else None
    if is_ours is None:
        is_ours = take(run, attempt, claim_text(None, staged_code(run), launch))
        if is_ours:
            sync_disk(run.path, say)
    return is_ours


def withdraw(tasks: Iterable[Task], launch: str | None) -> None:
    """Wait no longer for what was not started: a launcher in a notebook lives on."""
    for task in tasks if launch else ():
        with suppress(OSError):
            task.run.wait(task.attempt, str(launch)).unlink(missing_ok=True)
