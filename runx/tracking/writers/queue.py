"""The queue of records for writers other than csv, which a thread of its own empties."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from threading import Event, RLock, Thread
from typing import Any

from runx.errors import LogxError
from runx.rundir.records import Record
from runx.tracking.notes import Faults

PAUSE = 0.2
"""Seconds for which records are gathered before they are written."""


class WriterQueue:
    """Passes records to writers in a thread, in their order; the training script never waits.

    With ``is_synchronous`` each record is written at once: in worker processes, which are often
    killed. ``held`` counts the contexts that suspend writing, ``last_step`` is the highest so far.
    """

    def __init__(
        self, writers: Sequence[Any], faults: Faults, is_synchronous: bool = False
    ) -> None:
        self.writers = list(writers)
        self.held = 0
        self.last_step: float = -1
        self._faults = faults
        self._queue: deque[Record] = deque()
        self._is_synchronous = is_synchronous
        self._raised: LogxError | None = None
        self._reset()

    @property
    def boards(self) -> list[Any]:
        """The writers that can write to TensorBoard."""
        return [each for each in self.writers if hasattr(type(each), "summaries")]

    def put(self, record: Record) -> None:
        """Add a record. With ``strict``, raise what an earlier one has met."""
        if not self.writers:
            return
        self._queue.append(record)
        if record.epoch is not None and record.epoch > self.last_step:
            self.last_step = record.epoch
        if self._raised:
            raise self._raised
        if self._is_synchronous:
            self.flush()
        elif not self._wake.is_set():
            if self._thread is None:
                self._start()
            self._wake.set()

    def flush(self) -> None:
        """Write all records of the queue now."""
        with self._lock:
            while self._queue:
                record = self._queue.popleft()
                for writer in self.writers:
                    self._try(writer, writer.write, record)
            for writer in self.writers:
                if hasattr(writer, "flush"):
                    self._try(writer, writer.flush)

    def forked(self) -> None:
        """Forget, in a forked process, the records that the parent will write."""
        self._queue.clear()
        self.writers = [writer for writer in self.writers if hasattr(writer, "survives_fork")]
        for writer in self.writers:
            if hasattr(writer, "forked"):
                writer.forked()
        self._is_synchronous = True
        self._reset()

    def close(self) -> None:
        """Write all records and close the writers."""
        self.flush()
        self._closed = True
        self._wake.set()
        with self._lock:
            for writer in self.writers:
                self._try(writer, writer.close)
            self.writers = []

    def forgiving(self, writer: Any, function: Any) -> Any:
        """Return a function of a writer that warns of any error instead, once for each function."""
        if not callable(function):
            return function

        function_name = getattr(function, "__name__", "it")

        def call(*arguments: Any, **keywords: Any) -> Any:
            try:
                return function(*arguments, **keywords)
            except Exception as error:  # noqa: BLE001  No picture or histogram ends the training.
                self.report(writer, function_name, error)

        return call

    def report(self, writer: Any, function: str, error: Exception) -> None:
        """Warn of an error in a function of a writer."""
        if isinstance(error, OSError):
            self._faults.report(type(writer).__name__, error)
        else:
            problem = _missing(error) if isinstance(error, ImportError) else error
            self._faults.report(function, problem, "without it")

    def _reset(self) -> None:
        self._wake, self._lock, self._closed = Event(), RLock(), False
        self._thread: Thread | None = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="logx", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait()
            time.sleep(PAUSE)
            self._wake.clear()
            if not self.held:
                try:
                    self.flush()
                except LogxError as error:
                    # With strict: put() raises it in the thread of the training script.
                    self._raised = error

    def _try(self, writer: Any, action: Any, *arguments: Any) -> None:
        name = type(writer).__name__
        try:
            action(*arguments)
        except Exception as error:  # noqa: BLE001  No error of a writer ends the training.
            self._faults.report(name, error)
        else:
            if self._faults.active:
                self._faults.resolve(name)


class Suspended:
    """A context that suspends writing; with ``flush_at_end`` its end writes all records."""

    def __init__(self, queue: WriterQueue | None, flush_at_end: bool) -> None:
        self._queue, self._flush = queue, flush_at_end

    def __enter__(self) -> None:
        if self._queue:
            self._queue.held += 1

    def __exit__(self, *raised: object) -> None:
        if self._queue:
            self._queue.held -= 1
            if self._flush and not self._queue.held:
                self._queue.flush()


class Summaries:
    """Passes each call to TensorBoard's SummaryWriter; without TensorBoard, ignores it."""

    def __init__(self, queue: WriterQueue) -> None:
        self._queue = queue
        self._board = queue.boards[0] if queue.boards else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._board is None:
            return _ignore
        if name == "flush":
            return self._queue.flush
        try:
            function = self._board.function(name)
        except AttributeError:
            raise
        except Exception as error:  # noqa: BLE001  tensorboardX may not be importable.
            self._queue.report(self._board, name, error)
            return _ignore
        return self._queue.forgiving(self._board, function)


def _ignore(*arguments: Any, **keywords: Any) -> None:
    """Ignore a call."""


def _missing(error: ImportError) -> LogxError:
    """Return the error for a package that isn't installed, with what installs it."""
    name = str(error.name)
    package = {"PIL": "pillow"}.get(name, name)
    extra = {"PIL": "images", "matplotlib": "results"}.get(name.partition(".")[0])
    how = f"'runx-sweeps[{extra}]', or pip install {package}" if extra else package
    return LogxError(f"it needs {package}: pip install {how}")
