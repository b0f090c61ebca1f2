"""Runs that wait for their turn here: in what order, and what this machine has for the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from pathlib import Path

from runx.local.capacity import Share
from runx.local.counts import Count, Counts, Shortage
from runx.local.gpus import Devices, Lease
from runx.local.tasks import Task
from runx.locks import release
from runx.rundir.files import to_json, write_whole
from runx.rundir.orders import CANCEL, order_of

_LOOK = 1.0  # seconds between two looks at what is held
_NO_GPU = "a GPU: all are leased to other runs, or other processes fill them"


@dataclass(slots=True)
class Waiting:
    """Tasks that wait, those of a higher PRIORITY first, and else in the order that they came in.

    Those of equal shares stand in one queue: if its first can't start, none of them can.
    """

    _queues: dict[Share, list[tuple[int, Task]]] = field(default_factory=dict)
    _first: int = 0
    _last: int = 0
    _held: list[tuple[int, Task]] = field(default_factory=list)
    _next: float = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values())) + len(self._held)

    def held_text(self) -> str:
        """Return what those wait for that are held, where no others wait; else ""."""
        count = len(self._held)
        return f"runx release: {count} held" if count and not self._queues else ""

    def extend(self, tasks: Iterable[Task]) -> None:
        """Put tasks behind those that wait."""
        for task in tasks:
            self._last += 1
            self.add(task, self._last)

    def put_first(self, task: Task) -> None:
        """Put a task before those of its PRIORITY."""
        self._first -= 1
        self.add(task, self._first)

    def add(self, task: Task, place: int) -> None:
        """Put a task to its place among those of its PRIORITY; no other has that."""
        heappush(self._queues.setdefault(task.share, []), (place, task))

    def heads(self) -> list[Task]:
        """Return the first task of each share, in order."""
        heads = [queue[0] for queue in self._queues.values()]
        return [
            task for _, task in sorted(heads, key=lambda head: (-head[1].share.priority, head[0]))
        ]

    def serve(
        self, devices: Devices, counts: Counts, leave: Callable[[Task], None]
    ) -> tuple[tuple[Task, Lease] | None, list[Shortage]]:
        """Remove the first task that gets what it needs; return it with that, and what is short.

        What an earlier one lacks, a later one does not get. Those that another launch has begun go
        to ``leave``; those that are held are passed by.
        """
        shortages: list[Shortage] = []
        self._look_at_held()
        for first in self.heads():
            task: Task | None = first
            while task and (is_begun(task) or is_held(task)):
                place, _ = self._queues[task.share][0]
                if is_begun(task):
                    leave(task)
                else:
                    self._held.append((place, task))
                task = self._pop(task.share)
            short = {shortage.of.name for shortage in shortages}
            if task is None or short.intersection(name for name, _ in task.share.counted):
                continue
            given = _lease(task.share, devices, counts)
            if isinstance(given, Shortage) and order_of(task.run, task.attempt, _ignore) == CANCEL:
                given = Lease()  # It ends without a start.
            if isinstance(given, Lease):
                self._pop(task.share)
                counts.leave([name for name, _ in task.share.counted])
                return (task, given), shortages
            shortages.append(given)
        return None, shortages

    def _look_at_held(self) -> None:
        """Let those wait for their turn again that are released, or over."""
        if not self._held or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LOOK
        held, self._held = self._held, []
        for place, task in held:
            if is_held(task) and not is_begun(task):
                self._held.append((place, task))
            else:
                self.add(task, place)

    def _pop(self, share: Share) -> Task | None:
        """Remove the first task of a share; return the next one, None if it was the last."""
        heappop(self._queues[share])
        if self._queues[share]:
            return self._queues[share][0][1]
        del self._queues[share]
        return None


def is_begun(task: Task) -> bool:
    """Return whether a launcher has claimed an attempt."""
    return task.run.claim(task.attempt).exists()


def is_held(task: Task) -> bool:
    """Return whether a person keeps a run from starting; one that is cancelled, too, is over."""
    return task.run.held.exists() and order_of(task.run, task.attempt, _ignore) != CANCEL


def note_of(file: Path | None) -> Callable[[str], None]:
    """Return what writes down, where it changes, what a launch waits for: status reads it."""
    last = ""

    def tell(what: str) -> None:
        nonlocal last
        if file and what != last:
            with suppress(OSError):  # It is only a sign; whether the disk is full shows elsewhere.
                write_whole(file, to_json({"for": what}))
            last = what

    return tell


def _lease(share: Share, devices: Devices, counts: Counts) -> Lease | Shortage:
    """Return all that a run needs of this machine, or what is short; then nothing is held."""
    files = counts.take(share.counted)
    if isinstance(files, Shortage):
        return files
    try:
        made = devices.lease() if share.gpus is None else devices.lease(share.gpus)
    except BaseException:
        _release(files)
        raise
    if made is None:
        _release(files)
        return Shortage(_NO_GPU, next(counts.named("gpus"), Count("gpus", "gpus")))
    return replace(made, locks=(*made.locks, *files)) if files else made


def _ignore(_: str) -> None:
    """Drop a warning: who claims the attempt gives it."""


def _release(files: Iterable[int]) -> None:
    for file in files:
        release(file)
