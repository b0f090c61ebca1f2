"""TensorBoard: scalars written here, everything else by tensorboardX into the same file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from runx.rundir import tensorboard as events
from runx.rundir.records import Record
from runx.tracking.scalars import numbers
from runx.tracking.writers import Destination
from runx.tracking.writers.appender import Appender


class TensorBoard:
    """One event file for each process that logs; every record is one event."""

    survives_fork = True

    def __init__(self, destination: Destination) -> None:
        self._logdir = str(destination.run.path)
        self._tags: dict[str, bytes] = {}
        self._summaries: Any = None
        now = time.time()
        # Readers take the files of a directory in the order of their names.
        name = f"events.out.tfevents.{int(now):010}.{os.uname().nodename}.{os.getpid()}"
        path = os.path.join(self._logdir, f"{name}.{time.monotonic_ns()}")  # noqa: PTH118
        self._file = Appender(path, head=events.version(now))

    def write(self, record: Record) -> None:
        """Write the record's numbers, each under its phase."""
        tags, values = self._tags, []
        for name, value in record.metrics.items():
            whole = f"{record.phase}/{name}" if record.phase else name
            known = tags.get(whole) or tags.setdefault(whole, events.tag(whole))
            values.append((known, events.single(value)))  # type: ignore[arg-type]
        step = int(record.epoch) if record.epoch is not None else 0
        self._file.append(events.scalars(values, step, record.timestamp or time.time()))

    def flush(self) -> None:
        """Write what was kept in memory, or raise OSError."""
        self._file.catch_up()

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._file.forked()

    def close(self) -> None:
        """Close the file, and those that tensorboardX opened beside it."""
        if self._summaries is not None:
            self._summaries.close()
        self._file.close()

    @property
    def summaries(self) -> Any:
        """A SummaryWriter of tensorboardX that writes into this file."""
        if self._summaries is None:
            self._summaries = _summary_writer(self._logdir, self)
        return self._summaries

    def add_hparams(self, hparams: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Write hyperparameters and what they led to; in this file, not in one of a sub-folder."""
        from tensorboardX.summary import hparams as summaries_of

        values = numbers(metrics)
        for summary in summaries_of(dict(hparams), values):
            self.summaries.file_writer.add_summary(summary, 0)
        self.write(Record("", values, 0, time.time()))

    # What tensorboardX asks of an event writer:

    def get_logdir(self) -> str:
        """Tell where the file is."""
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Write an event that tensorboardX made."""
        self._file.append(events.framed(event.SerializeToString()))


class _EventsOf:
    """A TensorBoard that tensorboardX may not close, since others write there too."""

    def __init__(self, board: TensorBoard) -> None:
        self.add_event, self.get_logdir = board.add_event, board.get_logdir

    def flush(self) -> None:
        """Nothing is held back."""

    close = reopen = flush


def _summary_writer(logdir: str, board: TensorBoard) -> Any:
    from tensorboardX import SummaryWriter
    from tensorboardX.writer import FileWriter

    # Made without its own event file: TensorBoard reads one file of a directory at a time.
    files = FileWriter.__new__(FileWriter)
    files.event_writer, files._default_metadata = _EventsOf(board), {}
    writer = SummaryWriter(logdir, write_to_disk=False)
    writer._write_to_disk = True
    writer.file_writer, writer.all_writers = files, {logdir: files}
    return writer
