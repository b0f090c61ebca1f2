"""Showing runs that execute here: a line for each start and end, or their output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from runx.api.printing import Say, data, remark, unheard
from runx.local.gpus import Lease
from runx.local.tasks import EndedAttempt, Task
from runx.rundir.orders import CANCEL, TIMEOUT
from runx.rundir.paths import RunDir
from runx.rundir.state import signal_of
from runx.sweeps.scalars import duration_text

_LOOK = 0.05  # seconds between two looks at a run's output
REDRAW = 0.5
"""Seconds between two ticks where no output is shown."""


class Lines:
    """Shows a line when a run starts, with its command, and one when it ends.

    ``say`` takes remarks, ``echo`` commands.
    """

    def __init__(
        self,
        total: int,
        commands: Mapping[RunDir, str],
        say: Say = remark,
        echo: Say = data,
        quiet: bool = False,
    ) -> None:
        self.total, self.commands, self.quiet = total, commands, quiet
        self.say, self.echo = say, echo
        self.ended_runs: list[EndedAttempt] = []
        self._blocked: set[str] = set()

    def started(self, task: Task, lease: Lease) -> None:
        """Show that a run starts, and its command."""
        if self.quiet:
            return
        where = f" on {','.join(lease.devices)}" if lease.devices else ""
        attempt = f", attempt {task.attempt}" if task.attempt > 1 else ""
        is_ours = task.run in self.commands
        self.say(f"{task.name}: {'started' if is_ours else 'goes on'}{attempt}{where}")
        if is_ours and not task.tried:
            self.echo(self.commands[task.run])

    def ended(self, ended: EndedAttempt, again: bool) -> None:
        """Show how an attempt ended; ``again`` is whether another one follows."""
        if not again:
            self.ended_runs.append(ended)
        if not self.quiet:
            end = "once more" if again else f"{len(self.ended_runs)}/{self.total}"
            self.say(f"{ended.name}: {outcome(ended)} after {duration_text(ended.seconds)} ({end})")

    def left(self, task: Task) -> None:
        """Show that another process executes the run."""
        self.total -= 1
        self.say(f"{task.name}: left alone: another launcher, or a person, has begun it")

    def blocked(self, what: str) -> None:
        """Show, once of each resource, what is waited for."""
        resource = what.partition(":")[0]
        if resource not in self._blocked:
            self.say(f"waiting for {what}")
        self._blocked.add(resource)

    def note(self, line: str) -> None:
        """Show what a person must know."""
        self.say(line)

    def stopping(self, killing: bool) -> None:
        """Show that the launch is being stopped."""
        self.say("killing what runs" if killing else "stopping what runs; once more kills it")

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Return the seconds until the next tick."""
        return REDRAW


class Streamed(Lines):
    """Shows the output of runs as it is written, with ``names`` each line with its run's name."""

    def __init__(
        self,
        total: int,
        commands: Mapping[RunDir, str],
        names: bool,
        say: Say = remark,
        echo: Say = data,
    ) -> None:
        super().__init__(total, commands, say, echo)
        self.names = names
        self._outputs: dict[RunDir, BinaryIO] = {}
        self._partial: dict[RunDir, bytes] = {}

    def started(self, task: Task, lease: Lease) -> None:
        """Show the command, and follow the output from its present end."""
        if task.run in self.commands:
            self.echo(self.commands[task.run])
        else:
            self.say(f"{task.name}: goes on")
        # "a" makes the file if it is missing, and starts at its end; only the run writes to it.
        self._outputs[task.run] = task.run.output.open("a+b")
        self.names |= len(self._outputs) > 1  # since runx slots

    def ended(self, ended: EndedAttempt, again: bool) -> None:
        """Show the rest of the output, and how the attempt ended unless it is done."""
        if ended.task.run in self._outputs:  # a cancelled run never started
            self._copy(ended.task.run, last=True)
            self._outputs.pop(ended.task.run).close()
        if not again:
            self.ended_runs.append(ended)
        if ended.status or ended.order:
            self.say(f"{ended.name}: {outcome(ended)}{'; once more' if again else ''}")

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Show what has been written since the last tick."""
        for run in self._outputs:
            self._copy(run)
        return _LOOK

    def _copy(self, run: RunDir, last: bool = False) -> None:
        while chunk := self._outputs[run].read(1 << 16):
            self.write(self._named(run, chunk) if self.names else chunk, False)
        if last:
            rest = self._partial.pop(run, b"")
            self.write(self._prefix(run) + rest + b"\n" if rest else b"", True)
        with unheard():
            sys.stdout.flush()

    def write(self, chunk: bytes, last: bool) -> None:
        """Print output; ``last``: the run has ended."""
        if chunk:
            put(chunk)

    def _named(self, run: RunDir, chunk: bytes) -> bytes:
        *lines, rest = (self._partial.pop(run, b"") + chunk).split(b"\n")
        self._partial[run] = rest
        return b"".join(self._prefix(run) + line + b"\n" for line in lines)

    @staticmethod
    def _prefix(run: RunDir) -> bytes:
        return os.fsencode(run.path.name) + b": "


def put(content: bytes) -> None:
    """Write bytes to stdout unchanged, or as text where stdout takes only text, as in notebooks."""
    buffer = getattr(sys.stdout, "buffer", None)
    with unheard():
        if buffer is None:
            sys.stdout.write(content.decode("utf-8", "replace"))
        else:
            buffer.write(content)


def outcome(ended: EndedAttempt) -> str:
    """Return how an attempt ended, in a few words."""
    if ended.order:
        return {CANCEL: "cancelled", TIMEOUT: "timed out"}.get(ended.order, ended.order)
    if ended.status > 128:
        return f"killed by {signal_of(ended.status) or ended.status - 128}"
    return f"exit status {ended.status}" if ended.status else "done"
