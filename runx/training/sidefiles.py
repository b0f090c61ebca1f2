"""What a run keeps beside its metrics: messages, artifacts, and what the machine was doing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from runx.metrics.records import TORN, encode
from runx.rundir import RunDir
from runx.training import artifacts
from runx.training.faults import Faults, utc_now
from runx.training.system import INTERVAL, Monitor
from runx.writers.appender import Appender

if TYPE_CHECKING:
    from runx.metrics.records import Metric

IN_MEMORY = "what is logged is kept in memory and written when that is possible again"


class SideFiles:
    """The files of one rank, each opened when something is first written to it."""

    def __init__(self, run: RunDir, rank: int, faults: Faults) -> None:
        self._run, self._rank, self._faults = run, rank, faults
        self._messages = Appender(str(run.messages_of(rank)), torn=b"\n")
        self._system = Appender(str(run.system), torn=TORN)
        self._monitor: Monitor | None = None

    def message(self, text: str) -> None:
        """Append to this rank's log, and print if this is the first rank."""
        try:
            if self._rank == 0:
                print(text)
        except (OSError, ValueError) as error:
            self._faults.met("stdout", error)
        self._append(self._messages, f"{text}\n", self._run.messages_of(self._rank).name)

    def artifact(self, thing: Any, name: str | None) -> str | None:
        """Keep a thing under artifacts/."""
        try:
            return str(artifacts.keep(self._run, thing, name, utc_now()))
        except OSError as error:
            self._faults.met(f"artifact {name or thing}", error, "without it")
            return None

    def watch(self, system: bool | float) -> None:
        """Begin to note what the machine is doing, every so many seconds."""
        if system:
            self._monitor = Monitor(self._measured, INTERVAL if system is True else system)

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._monitor = None
        self._messages.forked()
        self._system.forked()

    def close(self) -> None:
        """Write what is left and close the files."""
        if self._monitor is not None:
            self._monitor.stop()
        for file in (self._messages, self._system):
            self._faults.closing(file)

    def _measured(self, figures: dict[str, Metric]) -> None:
        self._append(self._system, encode("system", figures, None, time.time()), "system.csv")

    def _append(self, file: Appender, text: str, name: str) -> None:
        try:
            file.append(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._faults.met(name, error, IN_MEMORY)
        else:
            self._faults.over(name)
