"""All of one machine: so many runs at a time, each to its end, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from runx.local.gpus import Devices, Lease
from runx.local.process import Live, start, tell
from runx.local.signals import StopSignals, stop_signals
from runx.rundir.orders import CANCEL, TIMEOUT, give, is_called_off_elsewhere, ordered
from runx.rundir.paths import RunDir

_TICK = 0.5


_STUBBORN = 5.0  # seconds that run.sh is given to record the end of a script that was killed


_STOPPED = 128 + signal.SIGINT


Right: TypeAlias = Literal["ours", "cancelled", "theirs"]
"""Whose an attempt is: ours to execute, nobody's as it was called off, somebody else's."""


BEAT = "RUNX_BEAT"
"""Names the seconds between beats, for tests."""


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


class Heartbeat:
    """Touches the beat files of runs that go on, now and then: a short run never gets one."""

    def __init__(self) -> None:
        self._every = float(os.environ.get(BEAT) or 30)
        self._next = time.monotonic() + self._every

    def beat(self, tasks: Iterable[Task]) -> list[Task]:
        """Beat, if it is time; return those of the runs that were called off on another machine."""
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + self._every
        alive = list(tasks)
        for task in alive:
            with suppress(OSError):  # It is only a sign; whether the disk is full shows elsewhere.
                task.run.beat(task.attempt).touch()
        return [task for task in alive if is_called_off_elsewhere(task.run, task.attempt)]


@dataclass(slots=True)
class _Running:
    task: Task
    live: Live
    lease: Lease
    order: str = ""
    told: float = 0.0
    kills: int = 0
    heeds: bool = False  # an order that came from another machine


@dataclass(slots=True)
class Executor:
    """Runs tasks to their end, ``policy.jobs`` at a time.

    ``claim`` claims a task's attempt; it is asked while nothing of the run is alive. What a person
    said with signals while it went on is counted in ``stops``. ``ended`` are the runs that came to
    their last end here, ``left`` those that turned out to be somebody else's.
    """

    policy: Policy
    devices: Devices
    claim: Callable[[Task], Right]
    watch: Watcher
    running: list[_Running] = field(default_factory=list)
    waiting: deque[Task] = field(default_factory=deque)
    failures: int = 0
    stops: int = 0
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    ended: list[Ended] = field(default_factory=list)
    left: list[Task] = field(default_factory=list)

    def execute(self, tasks: Iterable[Task], adopted: Iterable[Task] = ()) -> None:
        """Execute every task to its end.

        ``adopted`` run already, on their own: each takes a slot until it ends.
        """
        self.waiting.extend(tasks)
        for task in adopted:
            live = Live(task.run, task.attempt, None, time.monotonic())
            self.running.append(_Running(task, live, Lease()))
            self.watch.started(task, Lease())
        # Ctrl-C on a terminal reaches the one run that has it, and is that run's business.
        with stop_signals((signal.SIGINT,) if self.policy.attach else ()) as signals:
            while self.running or (self.waiting and not self._closed()):
                self._fill()
                self._wait(signals)
                while signals.received:
                    self._stop(signal.Signals(signals.received.popleft()))
                self._heed()
                self._expire()
                self._reap()

    def _closed(self) -> bool:
        most = self.policy.max_failures
        return self.stops > 0 or (most is not None and self.failures >= most)

    def _wait(self, signals: StopSignals) -> None:
        pause = self.watch.tick([one.task for one in self.running], len(self.waiting))
        if self.running or self.waiting:
            signals.wait(min(pause, self._patience()))

    def _fill(self) -> None:
        while self.waiting and not self._closed() and len(self.running) < self.policy.jobs:
            lease = self.devices.lease()
            if lease is None:
                if not self.running:
                    self.watch.blocked()
                return
            self._start(self.waiting.popleft(), lease)

    def _start(self, task: Task, lease: Lease) -> None:
        right: list[Right] = []

        def ours() -> bool:
            right.append(self.claim(task))
            if right == ["ours"]:
                # Told before it is: nothing of a run's output is missed, however short it is.
                self.watch.started(task, lease)
            return right == ["ours"]

        try:
            live = start(task.run, task.attempt, lease, ours, self.policy.attach)
        except BaseException:
            lease.close()
            raise
        if live is not None:
            self.running.append(_Running(task, live, lease))
            return
        lease.close()
        if right == ["cancelled"]:
            self._tell_end(Ended(task, _STOPPED, 0.0, CANCEL), False)
        else:
            self.left.append(task)
            self.watch.left(task)

    def _patience(self) -> float:
        now = time.monotonic()
        limit = self.policy.timeout
        ends = [one.live.since + limit - now for one in self.running if limit and not one.order]
        return max(0.0, min([_TICK, *ends]))

    def _stop(self, number: signal.Signals) -> None:
        """Heed the person: ask once, insist the second time."""
        self.stops += 1
        self.watch.stopping(self.stops > 1)
        gently = signal.SIGINT if number is signal.SIGINT else signal.SIGTERM
        for one in self.running:
            self._end(one, CANCEL, gently if self.stops == 1 else signal.SIGKILL)

    def _end(self, one: _Running, order: str, number: signal.Signals) -> None:
        if not one.order:
            one.order = order
            give(one.task.run, order, one.task.attempt)
        one.told = time.monotonic()
        one.kills += number is signal.SIGKILL
        tell(one.live, number)

    def _heed(self) -> None:
        """End what was called off elsewhere; whoever did it here has told the run already."""
        off = self.heartbeat.beat([one.task for one in self.running])
        for one in self.running:
            if one.task in off and not one.order:
                one.order, one.heeds = CANCEL, True
                self._end(one, CANCEL, signal.SIGTERM)

    def _expire(self) -> None:
        now = time.monotonic()
        limit = self.policy.timeout
        for one in self.running:
            if limit and not one.order and now - one.live.since >= limit:
                self._end(one, TIMEOUT, signal.SIGTERM)
            elif self._is_deaf(one, now):
                self._end(one, one.order, signal.SIGKILL)
            elif one.kills and now - one.told > _STUBBORN:
                self._end(one, one.order, signal.SIGKILL)
                if one.live.process:
                    one.live.process.kill()

    def _is_deaf(self, one: _Running, now: float) -> bool:
        told = one.order == TIMEOUT or one.heeds  # who stops all of this insists in person
        return told and not one.kills and now - one.told > self.policy.grace

    def _reap(self) -> None:
        for one in list(self.running):
            status = one.live.status()
            if status is not None:
                self.running.remove(one)
                one.lease.close()
                self._finish(one, status)

    def _finish(self, one: _Running, status: int) -> None:
        task = one.task
        order = self._order(one, status) if status else ""
        end = Ended(task, status, time.monotonic() - one.live.since, order)
        again = bool(status and not order and task.tried < self.policy.retries and not self.stops)
        if again:
            self.waiting.appendleft(Task(task.run, task.attempt + 1, task.tried + 1))
        elif status and order != CANCEL:
            self.failures += 1
        self._tell_end(end, again)

    def _tell_end(self, end: Ended, again: bool) -> None:
        if not again:
            self.ended.append(end)
        self.watch.ended(end, again)

    def _order(self, one: _Running, status: int) -> str:
        """Give the order by which a run was ended, be it somebody else's."""
        task = one.task
        if one.live.attached and status == _STOPPED and not one.order:
            give(task.run, CANCEL, task.attempt)
            return CANCEL
        return one.order or ordered(task.run, task.attempt, lambda _: None) or ""
