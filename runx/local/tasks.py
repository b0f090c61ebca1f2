"""What the executor executes, what it tells of it, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from runx.local.capacity import WHOLE, Share
from runx.local.gpus import Lease
from runx.rundir.orders import CANCEL
from runx.rundir.paths import RunDir
from runx.rundir.steps import Predecessor


class Task(NamedTuple):
    """An attempt to execute, how many attempts of the run this launch has made, and its share.

    That of a step starts when those that it is ``after`` are done, or have ended. ``before`` is how
    often the run was tried again by RETRIES before this launch.
    """

    run: RunDir
    attempt: int
    tried: int = 0
    share: Share = WHOLE
    after: tuple[Predecessor, ...] = ()
    before: int = 0

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.run.name


class EndedAttempt(NamedTuple):
    """An attempt that has ended here: its exit status, and the order that ended it, if any.

    That of a run that a search didn't need, or had no use for, is skipped, pruned or held.
    One that is not ``recorded`` will be executed again: its end could not be written.
    """

    task: Task
    status: int
    seconds: float
    order: str = ""
    recorded: bool = True

    @property
    def has_failed(self) -> bool:
        """Whether it went wrong by itself: nobody cancelled it, and it wasn't held."""
        return bool(self.status) and self.order not in (CANCEL, "held")

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.task.name


class Watcher(Protocol):
    """An observer of the executor, which shows the progress to a person."""

    def started(self, task: Task, lease: Lease) -> None:
        """Note that an attempt has started."""

    def ended(self, ended: EndedAttempt, again: bool) -> None:
        """Note that an attempt has ended; ``again``: the run gets a further one."""

    def left(self, task: Task) -> None:
        """Note that an attempt is not executed here: another launch has started the run."""

    def note(self, line: str) -> None:
        """Note what a person must know, as that the disk is full."""

    def stopping(self, killing: bool) -> None:
        """Note that a person asked to stop; ``killing``: for the second time."""

    def blocked(self, what: str) -> None:
        """Note that nothing runs, and what this machine has too little of for what waits."""

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Note that time has passed; return the seconds until this is to be called again."""
