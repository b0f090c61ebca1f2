"""The writer of metrics.csv, and of a file like it for each phase other than validation."""

from __future__ import annotations

from pathlib import Path

from runx.rundir.records import TORN, Record, encode
from runx.tracking.writers import Destination
from runx.tracking.writers.appender import Appender


class Rows:
    """Appends each record as a row, which is in the file when ``write`` returns."""

    survives_fork = True

    def __init__(self, destination: Destination) -> None:
        self._place = destination.place
        self._by_phase: dict[str, Appender] = {}
        self._by_path: dict[Path, Appender] = {}

    def write(self, record: Record) -> None:
        """Append a row, or keep it in memory and raise OSError."""
        file = self._by_phase.get(record.phase) or self._open(record.phase)
        row = encode(record.phase, record.metrics, record.epoch, record.timestamp)
        file.append(row.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Write the rows in memory, or raise OSError."""
        for file in self._by_path.values():
            file.catch_up()

    def pending(self) -> int:
        """Return the number of rows that are not in a file."""
        return sum(file.pending() + file.dropped for file in self._by_path.values())

    def forked(self) -> None:
        """Forget, in a forked process, the rows that the parent will write."""
        for file in self._by_path.values():
            file.forked()

    def close(self) -> None:
        """Write the rows in memory and close the files."""
        for file in self._by_path.values():
            file.close()

    def _open(self, phase: str) -> Appender:
        """Return the file of a phase, which several phases may share."""
        path = self._place.metrics_of(phase)
        file = self._by_path.setdefault(path, Appender(str(path), torn=TORN))
        return self._by_phase.setdefault(phase, file)
