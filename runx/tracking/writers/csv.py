"""metrics.csv and the files like it, one for each phase that isn't validation."""

from __future__ import annotations

from pathlib import Path

from runx.rundir.records import TORN, Record, encode
from runx.tracking.writers import Destination
from runx.tracking.writers.appender import Appender


class Rows:
    """Writes each record as one row, there when ``write`` returns."""

    survives_fork = True

    def __init__(self, destination: Destination) -> None:
        self._run = destination.run
        self._by_phase: dict[str, Appender] = {}
        self._by_path: dict[Path, Appender] = {}

    def write(self, record: Record) -> None:
        """Append the row, or keep it in memory and raise OSError."""
        file = self._by_phase.get(record.phase) or self._file(record.phase)
        row = encode(record.phase, record.metrics, record.epoch, record.timestamp)
        file.append(row.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Write what was kept in memory, or raise OSError."""
        for file in self._by_path.values():
            file.catch_up()

    def waiting(self) -> int:
        """Count the rows that are in memory only."""
        return sum(file.waiting() + file.dropped for file in self._by_path.values())

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        for file in self._by_path.values():
            file.forked()

    def close(self) -> None:
        """Write what was kept in memory and close the files."""
        for file in self._by_path.values():
            file.close()

    def _file(self, phase: str) -> Appender:
        path = self._run.metrics_of(phase)
        file = self._by_path.setdefault(path, Appender(str(path), torn=TORN))
        return self._by_phase.setdefault(phase, file)
