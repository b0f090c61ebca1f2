"""The writer to TensorBoard: scalars by itself, all else by tensorboardX into the same file."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from runx.rundir import tensorboard as events
from runx.rundir.records import Record
from runx.tracking.scalars import numbers
from runx.tracking.writers import Destination
from runx.tracking.writers.appender import Appender


class TensorBoard:
    """Writes an event file for this process, each record as one event."""

    survives_fork = True

    def __init__(self, destination: Destination) -> None:
        self._logdir = str(destination.place.path)
        self._tags: dict[str, bytes] = {}
        self._summaries: Any = None
        now = time.time()
        # Readers take the files of a directory in the order of their names.
        name = f"events.out.tfevents.{int(now):010}.{os.uname().nodename}.{os.getpid()}"
        path = os.path.join(self._logdir, f"{name}.{time.monotonic_ns()}")  # noqa: PTH118
        self._is_later = bool(events.event_files(self._logdir))
        self._file = Appender(path, head=events.version(now))
        self.last_step = -1

    def write(self, record: Record) -> None:
        """Write the metrics of a record, as PHASE/NAME."""
        tags, values = self._tags, []
        for name, value in record.metrics.items():
            name = f"{record.phase}/{name}" if record.phase else name
            tag = tags.get(name) or tags.setdefault(name, events.tag(name))
            values.append((tag, events.single(value)))  # type: ignore[arg-type]
        step = int(record.epoch) if record.epoch is not None else 0
        self.last_step = max(step, self.last_step)
        self._file.append(events.scalars(values, step, record.timestamp or time.time()))

    def start(self, step: int) -> None:
        """Have readers forget what earlier files of the run hold of this step and later ones."""
        # They would forget what this process has written, too.
        if self._is_later and step > self.last_step:
            self._is_later = False
            self._file.append(events.session_start(step, time.time()))

    def begin(self) -> None:
        """Create the file, for who looks for one, or raise OSError."""
        self._file.append(b"")

    def flush(self) -> None:
        """Write the events in memory, or raise OSError."""
        self._file.catch_up()

    def forked(self) -> None:
        """Forget, in a forked process, the events that the parent will write."""
        self._file.forked()

    def close(self) -> None:
        """Close the file and tensorboardX's writer."""
        if self._summaries is not None:
            self._summaries.close()
        self._file.close()

    def function(self, name: str) -> Any:
        """Return a function of ``summaries``, which takes what scripts give to it."""
        found = getattr(self.summaries, name)
        if name not in _CALLS:
            return found
        return functools.wraps(found)(functools.partial(_CALLS[name], found))

    @property
    def summaries(self) -> Any:
        """A SummaryWriter of tensorboardX that writes into this file."""
        if self._summaries is None:
            self._summaries = _summary_writer(self._logdir, self)
        return self._summaries

    def add_hparams(self, hparams: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Write hyperparameters with metrics, into this file instead of one in a sub-folder."""
        from tensorboardX.summary import hparams as summaries_of

        values = numbers(metrics)
        for summary in summaries_of(dict(hparams), values):
            self.summaries.file_writer.add_summary(summary, 0)
        self.write(Record("", values, 0, time.time()))

    # The methods of an event writer of tensorboardX:

    def get_logdir(self) -> str:
        """Return the folder of the file."""
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Write an event of tensorboardX's."""
        self.last_step = max(event.step, self.last_step)
        self._file.append(events.framed(event.SerializeToString()))


class _EventWriter:
    """An event writer for tensorboardX that never closes the file, which others write to, too."""

    def __init__(self, board: TensorBoard) -> None:
        self.add_event, self.get_logdir = board.add_event, board.get_logdir

    def flush(self) -> None:
        """Do nothing: each event is written at once."""

    close = reopen = flush


def _summary_writer(logdir: str, board: TensorBoard) -> Any:
    """Return a SummaryWriter of tensorboardX that writes to the file of another writer."""
    from tensorboardX import SummaryWriter
    from tensorboardX.writer import FileWriter

    # Without an event file of its own: TensorBoard reads one file of a directory at a time.
    files = FileWriter.__new__(FileWriter)
    files.event_writer, files._default_metadata = _EventWriter(board), {}
    writer = SummaryWriter(logdir, write_to_disk=False)
    writer._write_to_disk = True
    writer.file_writer, writer.all_writers = files, {logdir: files}
    return writer


def _image(add: Any, tag: Any, image: Any, *more: Any, **named: Any) -> Any:
    """Add an image, one of height and width alone, too."""
    image = _as_array(image)
    if len(getattr(image, "shape", ())) == 2 and len(more) < 3:
        named.setdefault("dataformats", "HW")
    return add(str(tag), image, *more, **named)


def _histogram(add: Any, tag: Any, values: Any, *more: Any, **named: Any) -> Any:
    """Add a histogram of the finite values; raises ValueError where there is none."""
    import numpy

    values = numpy.asarray(_as_array(values)).astype(float)
    finite = values[numpy.isfinite(values)]
    if not finite.size:
        raise ValueError(f"{tag}: of {values.size} values none is finite")
    return add(str(tag), finite, *more, **named)


def _text(add: Any, tag: Any, text: Any, *more: Any, **named: Any) -> Any:
    """Add a text, or the text of an object."""
    return add(str(tag), text if isinstance(text, str) else str(text), *more, **named)


def _as_array(values: Any) -> Any:
    """Return a tensor's values as an array, also in a type that NumPy doesn't have."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return (values.float() if "bfloat16" in str(values.dtype) else values).numpy()
    return values


_CALLS: dict[str, Callable[..., Any]] = {
    "add_image": _image,
    "add_histogram": _histogram,
    "add_text": _text,
}
"""What is called, with tensorboardX's function of that name, in its place."""
