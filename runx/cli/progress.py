"""Showing runs that execute here: lines, their output, or progress on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from runx.api.output import REDRAW, Lines, Streamed
from runx.api.printing import unheard
from runx.cli.console import echo, say
from runx.local.gpus import Lease
from runx.local.options import LocalOptions
from runx.local.tasks import EndedAttempt, Task, Watcher
from runx.rundir.paths import RunDir
from runx.sweeps.scalars import duration_text

_TAIL = 4096  # bytes at the end of metrics.csv in which the last row is looked for


def watcher(total: int, jobs: int, commands: Mapping[RunDir, str], local: LocalOptions) -> Watcher:
    """Return what shows runs: output of one at a time, else progress on a terminal, or lines."""
    if local.attach:
        return Lines(total, commands, say, echo, quiet=True)
    if jobs == 1 or local.stream:
        return Streamed(total, commands, jobs > 1, say, echo)
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Progress(total, commands)
    return Lines(total, commands, say, echo)


class Progress(Lines):
    """Shows a line for each run that ended, and below them one that is redrawn."""

    def __init__(self, total: int, commands: Mapping[RunDir, str]) -> None:
        super().__init__(total, commands, say, echo)
        self._drawn = False

    def started(self, task: Task, lease: Lease) -> None:
        """Show nothing: the next tick draws the run."""

    def ended(self, ended: EndedAttempt, again: bool) -> None:
        """Show how an attempt ended, above the line that is redrawn."""
        self._erase()
        super().ended(ended, again)

    def left(self, task: Task) -> None:
        """Show that another process executes the run, above the line that is redrawn."""
        self._erase()
        super().left(task)

    def note(self, line: str) -> None:
        """Show what a person must know, above the line that is redrawn."""
        self._erase()
        super().note(line)

    def stopping(self, killing: bool) -> None:
        """Show that the launch is being stopped, above the line that is redrawn."""
        self._erase()
        super().stopping(killing)

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Draw how many runs are done and running, the time left, and each run's last metrics."""
        tasks = list(running)
        self._erase()
        width = (
            os.get_terminal_size(sys.stderr.fileno()).columns or 80
        )  # 0: the terminal has no size
        line = " | ".join([self._counts(tasks, waiting), *(_latest(task) for task in tasks)])
        if tasks:
            with unheard():
                sys.stderr.write(line[: width - 1])
                sys.stderr.flush()
            self._drawn = True
        return REDRAW

    def _counts(self, running: list[Task], waiting: int) -> str:
        failed = sum(1 for end in self.ended_runs if end.status)
        parts = [f"{len(self.ended_runs) - failed}/{self.total} done"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{len(running)} running"]
        if self.ended_runs and running:
            mean = sum(end.seconds for end in self.ended_runs) / len(self.ended_runs)
            left = mean * (waiting + len(running) / 2) / len(running)
            parts += [f"about {duration_text(left)} left"]
        return ", ".join(parts)

    def _erase(self) -> None:
        if self._drawn:
            with unheard():
                sys.stderr.write("\r\x1b[K")
            self._drawn = False


def _latest(task: Task) -> str:
    """Return the name, the epoch and two metrics of a run, as text."""
    from runx.rundir.output import tail
    from runx.rundir.records import rows

    name = task.name.split("_20")[0]
    records = [row for row in rows(tail(task.run.metrics, _TAIL)) if row.phase == "val"]
    if not records:
        return name
    values = " ".join(f"{key} {value}" for key, value in list(records[-1].metrics.items())[:2])
    return f"{name} ep {records[-1].epoch} {values}"
