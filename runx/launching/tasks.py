"""The nouns of runs that are executed here: how, which, how they ended, who is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from runx.machine.leases import Lease
from runx.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Policy:
    """How runs are executed here; times are in seconds.

    ``retries`` further attempts are given to a run that failed; after ``max_failures`` runs have
    failed for good nothing more is started. ``attach`` gives the terminal to the one run.
    """

    jobs: int = 1
    retries: int = 0
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    attach: bool = False


class Task(NamedTuple):
    """A run that shall be executed: which attempt that is, and how often it was tried before."""

    run: RunDir
    attempt: int
    tried: int = 0

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.path.name


class Ended(NamedTuple):
    """An attempt that came to its end here: its exit status, and the order that ended it."""

    task: Task
    status: int
    seconds: float
    order: str = ""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.task.name


class Watcher(Protocol):
    """Who is told what happens."""

    def started(self, task: Task, lease: Lease) -> None:
        """An attempt has begun."""

    def ended(self, ended: Ended, again: bool) -> None:
        """An attempt has ended; ``again`` says that the run gets a further one."""

    def left(self, task: Task) -> None:
        """An attempt is not ours to execute: somebody else has begun the run, or it was called off.

        ``task`` is what would have been executed.
        """

    def stopping(self, killing: bool) -> None:
        """The person asked to stop."""

    def blocked(self) -> None:
        """Nothing runs, and there is no free device for what waits."""

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Time has passed; give the seconds until this is wanted again."""
