"""What a person sees of runs that go on here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO

from runx.devices import Lease
from runx.rundir import RunDir
from runx.slots import Ended, Task

_LOOK = 0.05  # seconds between looks at a run's output


class Shown:
    """One run at a time: its command as it starts, its output as it is written, how it ended."""

    def __init__(
        self,
        command: Callable[[RunDir], str],
        echo: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._command, self._echo, self._say = command, echo, say
        self._output: BinaryIO | None = None
        self._failed: list[Ended] = []
        self._finished = 0

    def started(self, task: Task, lease: Lease) -> None:
        """Show the command, and follow the output from where it stands."""
        self._echo(self._command(task.run))
        task.run.output.touch()
        self._output = task.run.output.open("rb")
        self._output.seek(0, 2)

    def ended(self, ended: Ended, again: bool) -> None:
        """Show the rest of the output, and how it ended."""
        self._copy()
        if self._output is not None:
            self._output.close()
            self._output = None
        if ended.status:
            self._say(f"{ended.name}: {outcome(ended)}{'; once more' if again else ''}")
        if not again:
            self._finished += 1
            self._failed.extend([ended] if ended.status else [])

    def stopping(self, killing: bool) -> None:
        """Say what the person's wish to stop leads to."""
        self._say("killing what runs" if killing else "stopping; once more kills what runs")

    def tick(self, running: Iterable[Task], waiting: int) -> float:
        """Show what has been written since."""
        self._copy()
        return _LOOK

    def _copy(self) -> None:
        if self._output is None:
            return
        while chunk := self._output.read(1 << 16):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()

    def closed(self, runs: int) -> int:
        """Say what failed and what remains; give the exit status that this comes to."""
        for end in self._failed:
            self._say(f"failed: {end.name}: {outcome(end)}; {end.task.run.output}")
        remaining = runs - self._finished
        if any(end.order == "cancel" for end in self._failed) or remaining:
            self._say(f"stopped; {remaining} of {runs} runs were not started")
            return 130
        if self._failed:
            self._say(f"{len(self._failed)} of {runs} runs failed")
            return 1
        self._say(f"{runs} run{'s' if runs > 1 else ''} done")
        return 0


def outcome(ended: Ended) -> str:
    """Say how a run ended."""
    if ended.order:
        return {"cancel": "cancelled", "timeout": "timed out"}[ended.order]
    return f"exit status {ended.status}"
