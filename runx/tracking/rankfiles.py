"""The files of one rank besides metrics: messages, artifacts, system.csv."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from runx.errors import LogxError
from runx.rundir.paths import RunDir
from runx.rundir.records import TORN, encode
from runx.tracking import artifacts
from runx.tracking.artifact_kinds import Kind
from runx.tracking.notes import Faults, utc_now
from runx.tracking.plain import text_of
from runx.tracking.scalars import number
from runx.tracking.system import INTERVAL, Monitor
from runx.tracking.writers.appender import Appender

if TYPE_CHECKING:
    from logging import Logger

    from runx.rundir.records import Metric

IN_MEMORY = "what is logged is kept in memory and written when that is possible again"
"""The consequence of a full disk, for warnings."""
LONGEST_INTERVAL = 1e6
"""The most seconds between two rows of system.csv."""


class RankFiles:
    """The files of one rank besides metrics: messages, artifacts, system.csv."""

    def __init__(self, run: RunDir, place: RunDir, rank: int, faults: Faults) -> None:
        self._run, self._rank, self._faults = run, rank, faults
        self._log = place.messages_of(rank)
        self._messages = Appender(str(self._log), torn=b"\n")
        self._system = Appender(str(place.system), torn=TORN)
        self._monitor: Monitor | None = None
        self._opened: dict[Path, TextIO] = {}

    def message(self, text: str) -> None:
        """Append a message to this rank's log, and print it on rank 0."""
        if self._rank == 0:
            self._print(text)
        self._append(self._messages, f"{text}\n", self._log.name)

    def artifact(
        self, thing: Any, name: str | None, kind: str | None, own: Mapping[str, Kind]
    ) -> str | None:
        """Write an artifact and return its path; None, with a warning, where that fails.

        Raises LogxError for what can't be an artifact, or its name.
        """
        try:
            return str(artifacts.save(self._run, thing, name, kind, own, utc_now()))
        except LogxError:
            raise
        except Exception as error:  # noqa: BLE001  A figure or table may raise anything.
            self._faults.report(
                f"artifact {text_of(thing if name is None else name)}", error, "without it"
            )
            return None

    def appended(self, path: Path) -> TextIO:
        """Return a file of the run, opened for the script's own lines, each of which is written."""
        if path not in self._opened or self._opened[path].closed:
            self._opened[path] = path.open("a+", encoding="utf-8", buffering=1)
        return self._opened[path]

    def watch(self, system: bool | float) -> None:
        """Start to measure the load for system.csv, at an interval in seconds."""
        interval = (
            INTERVAL
            if system is True
            else number(0 if system is None else system, "system", "initialize")
        )
        if interval:
            if not 0 < interval <= LONGEST_INTERVAL:
                raise LogxError(f"system={interval}: give the seconds between two measurements")
            self._monitor = Monitor(self._write_load, interval)

    def forked(self) -> None:
        """Forget, in a forked process, what the parent will write."""
        self._monitor = None
        self._messages.forked()
        self._system.forked()

    def close(self) -> None:
        """Stop measuring, write what is in memory and close the files."""
        if self._monitor is not None:
            self._monitor.stop()
        for file in (self._messages, self._system):
            self._faults.close(file)
        for opened in self._opened.values():
            opened.close()

    def _print(self, text: str) -> None:
        try:
            try:
                print(text)
            except UnicodeEncodeError:
                print(text.encode("ascii", "backslashreplace").decode())
        except (OSError, ValueError) as error:
            self._faults.report("stdout", error)

    def _write_load(self, load: dict[str, Metric]) -> None:
        self._append(self._system, encode("system", load, None, time.time()), "system.csv")

    def _append(self, file: Appender, text: str, name: str) -> None:
        try:
            file.append(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._faults.report(name, error, IN_MEMORY)
        else:
            self._faults.resolve(name)


def message_logger(write: Callable[[str], None] | None) -> Logger:
    """Return a logger that passes its records, as text, to a function; or to nobody."""
    from logging import INFO, Handler, Logger

    handler = Handler()
    handler.emit = lambda record: write(handler.format(record)) if write else None  # type: ignore[method-assign]
    logger = Logger("logx", INFO)
    logger.addHandler(handler)
    return logger
