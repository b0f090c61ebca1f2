"""What a terminal shows of runs that go on here, and where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

import click

from runx.api.output import Lines, Streamed
from runx.cli.console import say
from runx.local.executor import Ended, Task, Watcher
from runx.local.gpus import Lease
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.sweeps.scalars import spoken

_REDRAW = 0.5


_TAIL = 4096  # bytes in which a last row of metrics is looked for


def watcher(total: int, jobs: int, commands: Mapping[RunDir, str], local: LocalOptions) -> Watcher:
    """Return what shows runs: one at a time with its output, else lines, and progress on a
    terminal.
    """
    if local.attach:
        return Lines(total, commands, say, click.echo, quiet=True)
    if jobs == 1 or local.stream:
        return Streamed(total, commands, jobs > 1, say, click.echo)
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Progress(total, commands)
    return Lines(total, commands, say, click.echo)


class Progress(Lines):
    """On a terminal: a line for each run that ended, and below them one that is drawn anew."""

    def __init__(self, total: int, commands: Mapping[RunDir, str]) -> None:
        super().__init__(total, commands, say, click.echo)
        self._drawn = False

    def started(self, task: Task, lease: Lease) -> None:
        """Leave it to the next drawing."""

    def ended(self, ended: Ended, again: bool) -> None:
        """Say above the drawing how it ended."""
        self._erase()
        super().ended(ended, again)

    def left(self, task: Task) -> None:
        """Say above the drawing that it is not ours."""
        self._erase()
        super().left(task)

    def stopping(self, killing: bool) -> None:
        """Say above the drawing what the wish to stop leads to."""
        self._erase()
        super().stopping(killing)

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Draw how many are done and running, how long it may take, and each run's last metrics."""
        going = list(running)
        self._erase()
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0: it does not know
        line = " | ".join([self._counts(going, waiting), *(_latest(task) for task in going)])
        if going:
            sys.stderr.write(line[: width - 1])
            sys.stderr.flush()
            self._drawn = True
        return _REDRAW

    def _counts(self, going: list[Task], waiting: int) -> str:
        failed = sum(1 for end in self.ended_runs if end.status)
        parts = [f"{len(self.ended_runs) - failed}/{self.total} done"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{len(going)} running"]
        if self.ended_runs and going:
            mean = sum(end.seconds for end in self.ended_runs) / len(self.ended_runs)
            left = mean * (waiting + len(going) / 2) / len(going)
            parts += [f"about {spoken(left)} left"]
        return ", ".join(parts)

    def _erase(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            self._drawn = False


def _latest(task: Task) -> str:
    """Give a run's last metrics in a few words."""
    from runx.rundir.output import tail
    from runx.rundir.records import rows

    name = task.name.split("_20")[0]
    records = [one for one in rows(tail(task.run.metrics, _TAIL)) if one.phase == "val"]
    if not records:
        return name
    values = " ".join(f"{key} {value}" for key, value in list(records[-1].metrics.items())[:2])
    return f"{name} ep {records[-1].epoch} {values}"
