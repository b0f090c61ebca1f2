"""Showing runs that execute here: lines, their output, or progress on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from runx.api.output import REDRAW, Lines, Streamed, put
from runx.api.printing import unheard
from runx.cli.console import echo, say
from runx.local.gpus import Lease
from runx.local.options import LocalOptions
from runx.local.tasks import EndedAttempt, Task, Watcher
from runx.printable import one_line
from runx.rundir.paths import RunDir
from runx.sweeps.scalars import duration_text

if TYPE_CHECKING:
    from runx.rundir.records import Record

_TAIL = 4096  # bytes at the end of metrics.csv in which the last row is looked for
_UP = "\x1b[1A"
_CLEAR = "\r\x1b[K"


def watcher(total: int, jobs: int, commands: Mapping[RunDir, str], local: LocalOptions) -> Watcher:
    """Return what shows runs: output of one at a time, else progress on a terminal, or lines."""
    if local.attach:
        return Lines(total, commands, say, echo, quiet=True)
    is_drawn = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    if jobs == 1 or local.stream:
        if is_drawn and sys.stdout.isatty():
            return Below(total, commands, jobs > 1)
        return Streamed(total, commands, jobs > 1, say, echo)
    return Progress(total, commands) if is_drawn else Lines(total, commands, say, echo)


class _Bottom:
    """Lines at the bottom of the terminal, which are redrawn, and give way to what is printed."""

    def __init__(self) -> None:
        self._drawn = 0

    def say(self, line: str) -> None:
        """Print a remark above."""
        self.erase()
        say(line)

    def echo(self, line: str) -> None:
        """Print a line of data above."""
        self.erase()
        echo(line)

    def draw(self, *lines: str) -> None:
        """Draw lines in place of those that are drawn, each cut to the terminal's width."""
        self.erase()
        # 0: the terminal has no size
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        with unheard():
            sys.stderr.write("\n".join(one_line(line)[: width - 1] for line in lines))
            sys.stderr.flush()
        self._drawn = len(lines)

    def erase(self) -> None:
        """Remove what is drawn."""
        if self._drawn:
            with unheard():
                sys.stderr.write(_CLEAR + (_UP + _CLEAR) * (self._drawn - 1))
                sys.stderr.flush()
            self._drawn = 0


class Progress(Lines):
    """Shows a line for each run that ended, and below them one that is redrawn."""

    def __init__(self, total: int, commands: Mapping[RunDir, str]) -> None:
        self._bottom = _Bottom()
        super().__init__(total, commands, self._bottom.say, self._bottom.echo)

    def started(self, task: Task, lease: Lease) -> None:
        """Show nothing: the next tick draws the run."""

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Draw how many runs are done and running, the time left, and each run's last metrics."""
        tasks = list(running)
        counts = _counts(self, len(tasks), waiting)
        if tasks:
            self._bottom.draw(" | ".join([counts, *(_latest(task) for task in tasks)]))
        else:
            self._bottom.erase()
        return REDRAW


class Below(Streamed):
    """Shows the output of runs, and below it how far they are, and which is the best so far.

    A line that is not complete, as a bar of progress that the script redraws, is shown between.
    """

    def __init__(self, total: int, commands: Mapping[RunDir, str], names: bool) -> None:
        self._bottom, self._best = _Bottom(), _Best()
        self._begun: bytes = b""
        self._next = 0.0
        super().__init__(total, commands, names, self._bottom.say, self._bottom.echo)

    def ended(self, ended: EndedAttempt, again: bool) -> None:
        """Show the rest of the output, and how the attempt ended unless it is done."""
        super().ended(ended, again)
        self._bottom.erase()
        if not ended.status:
            self._best.note(ended.task)

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Show what has been written since the last tick, above the counts and the time left."""
        tasks = list(running)
        pause = super().tick(tasks, waiting)
        if tasks and time.monotonic() >= self._next:
            self._next = time.monotonic() + REDRAW
            parts = [_counts(self, len(tasks), waiting), self._best.text()]
            parts += [_latest(task) for task in tasks]
            shown = self._begun.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
            line = " | ".join(filter(None, parts))
            self._bottom.draw(*([shown, line] if shown.strip() else [line]))
        return pause

    def write(self, chunk: bytes, last: bool) -> None:
        """Print the lines that are complete."""
        lines, end, self._begun = (self._begun + chunk).rpartition(b"\n")
        if last and self._begun:
            lines, end, self._begun = lines + end + self._begun, b"\n", b""
        if end:
            self._bottom.erase()
            put(lines + end)
            self._next = 0.0


class _Best:
    """The best value so far of the first metric whose name says what is better."""

    def __init__(self) -> None:
        self._metric, self._value, self._run = "", 0.0, ""

    def note(self, task: Task) -> None:
        """Note the last metrics of a run that is done."""
        from runx.analysis.better import direction

        metrics = record.metrics if (record := _last(task)) else {}
        name = self._metric or next((name for name in metrics if direction(name) is not None), "")
        with suppress(KeyError, TypeError, ValueError):
            value = float(metrics[name])
            gain = (value - self._value) * (1 if direction(name) else -1)
            if not self._metric or gain > 0:
                self._metric, self._value, self._run = name, value, _short(task)

    def text(self) -> str:
        """Return it with its run, "" before there is one."""
        return f"best {self._metric} {_round(self._value)} ({self._run})" if self._metric else ""


def _counts(shown: Lines, running: int, waiting: int) -> str:
    failed = sum(1 for end in shown.ended_runs if end.status)
    parts = [f"{len(shown.ended_runs) - failed}/{shown.total} done"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{running} running"]
    if shown.ended_runs and running:
        mean = sum(end.seconds for end in shown.ended_runs) / len(shown.ended_runs)
        left = mean * (waiting + running / 2) / running
        parts += [f"about {duration_text(left)} left"]
    return ", ".join(parts)


def _latest(task: Task) -> str:
    """Return the name, the epoch and two metrics of a run, as text."""
    record = _last(task)
    if record is None:
        return _short(task)
    values = " ".join(f"{key} {_round(value)}" for key, value in list(record.metrics.items())[:2])
    return f"{_short(task)} ep {record.epoch} {values}"


def _last(task: Task) -> Record | None:
    from runx.rundir.output import tail
    from runx.rundir.records import rows

    records = [row for row in rows(tail(task.run.metrics, _TAIL)) if row.phase == "val"]
    return records[-1] if records else None


def _short(task: Task) -> str:
    return task.name.split("_20")[0]


def _round(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
