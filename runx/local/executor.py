"""Execution of runs on this machine: some at a time, each to its end, with retries and limits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from runx.local.capacity import THREADS, Capacity
from runx.local.claiming import ClaimResult
from runx.local.counts import Counts, Shortage
from runx.local.gpus import Devices, Lease
from runx.local.options import Policy
from runx.local.outcomes import Outcomes
from runx.local.process import (
    Heartbeat,
    LiveAttempt,
    has_started,
    holder,
    recorded_end,
    start,
)
from runx.local.retries import task_again
from runx.local.running import INTERRUPTED, Running
from runx.local.signals import StopSignals, stop_signals
from runx.local.tasks import EndedAttempt, Task, Watcher
from runx.local.waiting import Waiting
from runx.processes import CommandError
from runx.rundir.files import disk_problem, is_full
from runx.rundir.orders import CANCEL

DEADLINE = "RUNX_DEADLINE"
"""The variable with the time at which a run will be ended, in seconds since 1970."""
_TICK = 0.5  # seconds between two looks at what runs


@dataclass(slots=True)
class Executor:
    """Executes tasks to their end, ``policy.jobs`` at a time.

    ``claim`` claims the attempt of a task; it is called while no process of the run is alive.
    ``tell`` is given what is short, "" if nothing. ``resized`` returns the ``capacity`` that a
    person has changed this launcher's to.
    ``stops`` counts the signals by which a person asked to stop; nothing more is started, either,
    where the disk ``is_full``, or once ``closing`` has returned why. ``ended`` are the runs that
    came to their last end here, ``left`` those that another launch executes, ``blocked`` steps that
    never start, since one that they are after has failed. ``on_end`` gets each end, and whether an
    attempt follows; ``renewed`` gives that what it needs by its number.
    """

    policy: Policy
    devices: Devices
    claim: Callable[[Task], ClaimResult]
    watch: Watcher
    counts: Counts = field(default_factory=Counts)
    tell: Callable[[str], None] = lambda why: None
    resized: Callable[[], Capacity | None] = lambda: None
    running: list[Running] = field(default_factory=list)
    waiting: Waiting = field(default_factory=Waiting)
    failures: int = 0
    stops: int = 0
    is_full: bool = False
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    closing: Callable[[Sequence[EndedAttempt]], str] = lambda ended: ""
    closed: str = ""
    ended: list[EndedAttempt] = field(default_factory=list)
    left: list[Task] = field(default_factory=list)
    blocked: list[Task] = field(default_factory=list)
    outcomes: Outcomes | None = None
    on_end: Callable[[EndedAttempt, bool], None] | None = None
    capacity: Capacity | None = None
    renewed: Callable[[Task], Task] = lambda task: task

    def execute(self, tasks: Iterable[Task], adopted: Iterable[Task] = ()) -> None:
        """Execute every task to its end; ``adopted`` run already, and take a slot each until it."""
        tasks, adopted = list(tasks), list(adopted)
        if any(task.after for task in tasks):
            self.outcomes = Outcomes(tasks, adopted)
        else:
            self.waiting.extend(tasks)
        for task in adopted:
            live = LiveAttempt(task.run, task.attempt, None, time.monotonic())
            self.running.append(Running(task, live, Lease(), self.watch.note))
            self.watch.started(task, Lease())
        # Ctrl-C on a terminal reaches the one run that has it, and is that run's business.
        with stop_signals((signal.SIGINT,) if self.policy.attach else ()) as signals:
            while self.running or (self._unstarted and not self._is_closed()):
                self._fill_slots()
                self._wait(signals)
                while signals.received:
                    self._stop(signal.Signals(signals.received.popleft()))
                self._end_cancelled()
                self._end_expired()
                self._collect()

    def _is_closed(self) -> bool:
        """Return whether nothing more is started."""
        most = self.policy.max_failures
        is_over = self.is_full or (most is not None and self.failures >= most)
        return self.stops > 0 or is_over or bool(self.closed)

    def _close(self) -> None:
        """Start nothing more where there is a reason, and say it once."""
        if not self.closed and (reason := self.closing(self.ended)):
            self.closed = reason
            self.watch.note(f"{reason}; nothing more is started")

    def _fill_slots(self) -> None:
        """Start what there is a slot for, and all that it needs."""
        shortages: list[Shortage] = []
        self._resize()
        self._admit()
        if self.waiting and not self._is_closed() and len(self.running) < self.policy.jobs:
            self._close()
        while self.waiting and not self._is_closed() and len(self.running) < self.policy.jobs:
            served, shortages = self.waiting.serve(self.devices, self.counts, self._leave)
            if served is None:
                break
            self._start(*served)
            self._admit()
        self.counts.wait_for(shortages)
        self.tell(what := shortages[0].text if shortages else "")
        what = what or self.waiting.held_text()
        if what and not self.running:
            self.watch.blocked(what)

    def _resize(self) -> None:
        """Start more or fewer at a time from now on, where a person has asked for that."""
        if capacity := self.resized():
            self.capacity, self.devices = capacity, capacity.devices
            self.policy = replace(self.policy, jobs=capacity.jobs)

    def _admit(self) -> None:
        """Let steps wait for their turn whose predecessors have ended; leave out the others."""
        if self.outcomes is None:
            return
        ready, blocked = self.outcomes.settled()
        for place, task in ready:
            self.waiting.add(task, place)
        self.blocked += blocked
        for task in self.outcomes.taken_over(self.left):
            self.left = [each for each in self.left if each.run != task.run]
            self.waiting.put_first(task)

    @property
    def _unstarted(self) -> int:
        """The number of tasks that have not started."""
        return len(self.waiting) + (self.outcomes.held if self.outcomes else 0)

    def _start(self, task: Task, lease: Lease) -> None:
        right: ClaimResult = "theirs"

        def claim() -> bool:
            nonlocal right
            right = self.claim(task)
            if right == "ours":
                # Before it starts: none of a run's output is missed, however short it is.
                self.watch.started(task, lease)
            return right == "ours"

        try:
            variables = {**self._variables(task), **lease.environment}
            given = replace(lease, environment=variables)
            live = start(task.run, task.attempt, given, claim, self.policy.attach)
        except (OSError, CommandError) as error:
            lease.close()
            self._not_started(task, error)
            return
        except BaseException:
            lease.close()
            raise
        if live is not None:
            self.running.append(Running(task, live, lease, self.watch.note))
            if lease.devices:  # else the user's name needn't be looked up
                lease.say_holder(holder(live))
            return
        lease.close()
        if right == "cancelled":
            self._note_end(EndedAttempt(task, INTERRUPTED, 0.0, CANCEL), False)
        else:
            self._leave(task)

    def _leave(self, task: Task) -> None:
        self.left.append(task)
        if self.outcomes:
            self.outcomes.leave(task.run)
        self.watch.left(task)

    def _limit(self, task: Task) -> float | None:
        """Return the seconds after which a run is ended; the launch's own outweigh the run's."""
        return self.policy.timeout or task.share.seconds

    def _variables(self, task: Task) -> dict[str, str]:
        """Return the variables that tell a run its share of this machine."""
        variables = {}
        threads = task.share.threads
        if self.capacity:
            threads = self.capacity.threads_of(task.share)
        if threads:
            variables[THREADS] = str(threads)
        if limit := self._limit(task):
            variables[DEADLINE] = str(int(time.time() + limit))
        return variables

    def _not_started(self, task: Task, error: OSError | CommandError) -> None:
        """Note why an attempt was not started; on a full disk none is."""
        problem = str(error)
        if not isinstance(error, CommandError):
            self.is_full |= is_full(error)
            problem = disk_problem(error, task.run.path)
        if self.outcomes:
            self.outcomes.note(task.run, False)
        self.watch.note(f"{task.name}: not started: {problem}")

    def _wait(self, signals: StopSignals) -> None:
        """Wait for a signal, the end of a run, or the next time limit."""
        pause = self.watch.tick([run.task for run in self.running], self._unstarted)
        if not self.running and not self._unstarted:
            return
        now = time.monotonic()
        limits = [(run, self._limit(run.task)) for run in self.running if not run.order]
        left = [run.live.since + limit - now for run, limit in limits if limit]
        signals.wait(min(pause, max(0.0, min([_TICK, *left]))))

    def _stop(self, number: signal.Signals) -> None:
        """End all runs for a person: gently at the first signal, by KILL at the second."""
        self.stops += 1
        self.watch.stopping(self.stops > 1)
        gently = signal.SIGINT if number is signal.SIGINT else signal.SIGTERM
        for run in self.running:
            run.end(CANCEL, gently if self.stops == 1 else signal.SIGKILL)

    def _end_cancelled(self) -> None:
        """End the runs cancelled on another machine; a cancel on this one signals them itself."""
        cancelled = self.heartbeat.beat([run.live for run in self.running])
        for run in self.running:
            if run.live in cancelled:
                run.end_cancelled()

    def _end_expired(self) -> None:
        """End the runs that are over their time limit, and kill those over their grace period."""
        now = time.monotonic()
        for run in self.running:
            run.end_expired(self._limit(run.task), self.policy.grace, now)

    def _collect(self) -> None:
        """Note the runs that have ended."""
        for run in list(self.running):
            status = run.live.status()
            if status is not None:
                self.running.remove(run)
                run.lease.close()
                self._finish(run, status)

    def _finish(self, run: Running, status: int) -> None:
        task, recorded, passed = run.task, True, ""
        run.settle_order()
        try:
            status, is_output_lost, passed = recorded_end(run.live, status)
            if is_output_lost:
                self.watch.note(f"{task.name}: the disk was full: some of its output is lost")
        except OSError as error:
            # Of a run whose folder is gone it isn't known; CMD was executed, as a rule.
            if not isinstance(error, FileNotFoundError) and not has_started(run.live):
                self._not_started(task, error)
                return
            recorded = False
            problem = disk_problem(error, task.run.path)
            self.watch.note(f"{task.name}: ended with {status}, which can't be written: {problem}")
        order = passed or (run.order_at_end(status) if status else "")
        end = EndedAttempt(task, status, time.monotonic() - run.live.since, order, recorded)
        again = None
        if not self.stops:
            again = task_again(end, self.policy.retries, self.watch.note, self.renewed)
        if again is not None:
            self.waiting.put_first(again)
        elif end.has_failed:
            self.failures += 1
        self._note_end(end, again is not None)

    def _note_end(self, end: EndedAttempt, retry: bool) -> None:
        if not retry:
            self.ended.append(end)
            if self.outcomes:
                self.outcomes.note(end.task.run, end.status == 0 and end.recorded)
        self.watch.ended(end, retry)
        if self.on_end:
            self.on_end(end, retry)
