"""What a person sees of runs that go on here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import BinaryIO, Protocol

import click

from runx.language.durations import spoken
from runx.launching.executor import Ended, Task, Watcher
from runx.machine.leases import Lease
from runx.rundir import RunDir
from runx.terminal.manners import say
from runx.terminal.reporting import outcome

_LOOK = 0.05  # seconds between looks at a run's output
_REDRAW = 0.5


class Seen(Watcher, Protocol):
    """A watcher that remembers how runs ended, and which were not ours."""

    ended_runs: list[Ended]
    left_alone: list[Task]


def watcher(
    total: int, jobs: int, commands: Mapping[RunDir, str], stream: bool, attached: bool
) -> Seen:
    """Choose how to show runs: one at a time with its output, else lines, and progress on a
    terminal.
    """
    if attached:
        return Lines(total, commands, quiet=True)
    if jobs == 1 or stream:
        return Streamed(total, commands, names=jobs > 1)
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from runx.terminal.progress import Progress

        return Progress(total, commands)
    return Lines(total, commands)


class Lines:
    """A line when a run starts, with its command, and one when it ends."""

    def __init__(self, total: int, commands: Mapping[RunDir, str], quiet: bool = False) -> None:
        self.total, self.commands, self.quiet = total, commands, quiet
        self.ended_runs: list[Ended] = []
        self.left_alone: list[Task] = []
        self._blocked = False

    def started(self, task: Task, lease: Lease) -> None:
        """Show the command."""
        if self.quiet:
            return
        where = f" on {','.join(lease.devices)}" if lease.devices else ""
        again = f", attempt {task.attempt}" if task.attempt > 1 else ""
        is_ours = task.run in self.commands
        say(f"{task.name}: {'started' if is_ours else 'goes on'}{again}{where}")
        if is_ours and not task.tried:
            click.echo(self.commands[task.run])

    def ended(self, ended: Ended, again: bool) -> None:
        """Say how it ended."""
        if not again:
            self.ended_runs.append(ended)
        if not self.quiet:
            end = "once more" if again else f"{len(self.ended_runs)}/{self.total}"
            say(f"{ended.name}: {outcome(ended)} after {spoken(ended.seconds)} ({end})")

    def left(self, task: Task) -> None:
        """Say that it is not ours."""
        self.left_alone.append(task)
        say(f"{task.name}: left alone: it runs already, or somebody else has begun it")

    def blocked(self) -> None:
        """Say once what is waited for."""
        if not self._blocked:
            say("waiting for a GPU: all are leased to other runs, or other processes fill them")
        self._blocked = True

    def stopping(self, killing: bool) -> None:
        """Say what the person's wish to stop leads to."""
        say("killing what runs" if killing else "stopping what runs; once more kills it")

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Wait as long as one likes."""
        return _REDRAW


class Streamed(Lines):
    """Every run's output as it is written, with the run's name in front where there are several."""

    def __init__(self, total: int, commands: Mapping[RunDir, str], names: bool) -> None:
        super().__init__(total, commands)
        self.names = names
        self._outputs: dict[RunDir, BinaryIO] = {}
        self._partial: dict[RunDir, bytes] = {}

    def started(self, task: Task, lease: Lease) -> None:
        """Show the command, and follow the output from where it stands."""
        if task.run in self.commands:
            click.echo(self.commands[task.run])
        else:
            say(f"{task.name}: goes on")
        # Made by being opened, where it isn't there; nobody writes to it but the run.
        self._outputs[task.run] = task.run.output.open("a+b")

    def ended(self, ended: Ended, again: bool) -> None:
        """Show the rest of the output, and how it ended if not well."""
        if ended.task.run in self._outputs:  # One that was called off never started.
            self._copy(ended.task.run, last=True)
            self._outputs.pop(ended.task.run).close()
        if not again:
            self.ended_runs.append(ended)
        if ended.status:
            say(f"{ended.name}: {outcome(ended)}{'; once more' if again else ''}")

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Show what has been written since."""
        for run in self._outputs:
            self._copy(run)
        return _LOOK

    def _copy(self, run: RunDir, last: bool = False) -> None:
        while chunk := self._outputs[run].read(1 << 16):
            sys.stdout.buffer.write(self._named(run, chunk) if self.names else chunk)
        if last and (rest := self._partial.pop(run, b"")):
            sys.stdout.buffer.write(self._prefix(run) + rest + b"\n")
        sys.stdout.buffer.flush()

    def _named(self, run: RunDir, chunk: bytes) -> bytes:
        *lines, rest = (self._partial.pop(run, b"") + chunk).split(b"\n")
        self._partial[run] = rest
        return b"".join(self._prefix(run) + line + b"\n" for line in lines)

    @staticmethod
    def _prefix(run: RunDir) -> bytes:
        return os.fsencode(run.path.name) + b": "
