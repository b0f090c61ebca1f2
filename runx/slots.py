"""All of one machine: so many runs at a time, each to its end, whatever happens meanwhile."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from runx.devices import Devices, Lease
from runx.local import Live, start, tell
from runx.orders import CANCEL, TIMEOUT, give
from runx.rundir import RunDir

_TICK = 0.5
_STUBBORN = 5.0  # seconds that run.sh is given to record the end of a script that was killed
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Policy:
    """How runs are executed here; times are in seconds.

    ``retries`` further attempts are given to a run that failed; after ``max_failures`` runs have
    failed for good nothing more is started.
    """

    jobs: int = 1
    retries: int = 0
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    terminal: bool = False


class Task(NamedTuple):
    """A run that shall be executed: which attempt that is, and how often it was tried before."""

    run: RunDir
    attempt: int
    tried: int = 0


class Ended(NamedTuple):
    """An attempt that came to its end here: its exit status, and the order that ended it."""

    task: Task
    status: int
    seconds: float
    order: str = ""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.task.run.path.name


class Watcher(Protocol):
    """Who is told what happens."""

    def started(self, task: Task, lease: Lease) -> None:
        """An attempt has begun."""

    def ended(self, ended: Ended, again: bool) -> None:
        """An attempt has ended; ``again`` says that the run gets a further one."""

    def stopping(self, killing: bool) -> None:
        """The person asked to stop."""

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Time has passed; give the seconds until this is wanted again."""


@dataclass(slots=True)
class _Running:
    task: Task
    live: Live
    lease: Lease
    order: str = ""
    told: float = 0.0
    kills: int = 0


@dataclass(slots=True)
class Slots:
    """Runs tasks to their end, ``policy.jobs`` at a time.

    ``begin`` claims a task's attempt and says whether it may be executed; a task that someone else
    has claimed is theirs.
    """

    policy: Policy
    devices: Devices
    begin: Callable[[Task], bool]
    watch: Watcher
    running: list[_Running] = field(default_factory=list)
    waiting: deque[Task] = field(default_factory=deque)
    ended: list[Ended] = field(default_factory=list)
    stops: int = 0

    def execute(self, tasks: Iterable[Task], adopted: Iterable[Task] = ()) -> list[Ended]:
        """Execute every task; give the last attempt of each that came to its end.

        ``adopted`` run already, on their own: each takes a slot until it ends.
        """
        self.waiting.extend(tasks)
        for task in adopted:
            live = Live(task.run, task.attempt, None, time.monotonic())
            self.running.append(_Running(task, live, Lease()))
            self.watch.started(task, Lease())
        with _signals() as (wake, heard):
            while self.running or (self.waiting and not self._closed()):
                self._fill()
                pause = self.watch.tick([one.task for one in self.running], len(self.waiting))
                if self.running or self.waiting:
                    _wait(wake, min(pause, self._patience()))
                for _ in range(len(heard)):
                    heard.popleft()
                    self._stop()
                self._expire()
                self._reap()
        return self.ended

    def _closed(self) -> bool:
        failures = sum(1 for end in self.ended if end.status and end.order != CANCEL)
        most = self.policy.max_failures
        return self.stops > 0 or (most is not None and failures >= most)

    def _fill(self) -> None:
        while self.waiting and not self._closed() and len(self.running) < self.policy.jobs:
            lease = self.devices.lease()
            if lease is None:
                return
            self._start(self.waiting.popleft(), lease)

    def _start(self, task: Task, lease: Lease) -> None:
        try:
            if not self.begin(task):
                lease.close()
                return
            live = start(task.run, task.attempt, lease, self.policy.terminal)
        except BaseException:
            lease.close()
            raise
        self.running.append(_Running(task, live, lease))
        self.watch.started(task, lease)

    def _patience(self) -> float:
        now = time.monotonic()
        limit = self.policy.timeout
        ends = [one.live.since + limit - now for one in self.running if limit and not one.order]
        return max(0.0, min([_TICK, *ends]))

    def _stop(self) -> None:
        """Heed the person: ask once, insist the second time."""
        self.stops += 1
        self.watch.stopping(self.stops > 1)
        for one in self.running:
            self._end(one, CANCEL, signal.SIGINT if self.stops == 1 else signal.SIGKILL)

    def _end(self, one: _Running, order: str, number: signal.Signals) -> None:
        if not one.order:
            one.order = order
            give(one.task.run, order, one.task.attempt)
        one.told = time.monotonic()
        one.kills += number is signal.SIGKILL
        tell(one.live, number)

    def _expire(self) -> None:
        now = time.monotonic()
        for one in self.running:
            limit = self.policy.timeout
            if limit and not one.order and now - one.live.since >= limit:
                self._end(one, TIMEOUT, signal.SIGTERM)
            elif one.order == TIMEOUT and not one.kills and now - one.told > self.policy.grace:
                self._end(one, TIMEOUT, signal.SIGKILL)
            elif one.kills and one.live.process and now - one.told > _STUBBORN:
                one.live.process.kill()

    def _reap(self) -> None:
        for one in list(self.running):
            status = one.live.status()
            if status is not None:
                self.running.remove(one)
                one.lease.close()
                self._finish(one, status)

    def _finish(self, one: _Running, status: int) -> None:
        task = one.task
        end = Ended(task, status, time.monotonic() - one.live.since, one.order if status else "")
        again = bool(
            status and not one.order and task.tried < self.policy.retries and not self.stops
        )
        if again:
            self.waiting.appendleft(Task(task.run, task.attempt + 1, task.tried + 1))
        else:
            self.ended.append(end)
        self.watch.ended(end, again)


@contextmanager
def _signals() -> Iterator[tuple[int, deque[int]]]:
    """Hear the signals that stop a launch, and be woken by those and by the end of a child."""
    heard: deque[int] = deque()
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    former = {number: signal.getsignal(number) for number in (*_STOPPING, signal.SIGCHLD)}
    for number in _STOPPING:
        if former[number] is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda received, _: heard.append(received))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield read, heard
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in former.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)


def _wait(wake: int, seconds: float) -> None:
    if select.select([wake], [], [], seconds)[0]:
        os.read(wake, 4096)
