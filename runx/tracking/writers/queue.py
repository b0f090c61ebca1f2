"""Writers that work behind the training script's back, so that it never waits for them."""

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
"""How long records are gathered before they are written, in seconds."""


class Behind:
    """Hands records to writers in a thread of its own, in the order in which they came.

    A worker process is often ended without a chance to finish; there, ``is_alone`` is true and
    everything is written at once.
    """

    def __init__(self, writers: Sequence[Any], faults: Faults, is_alone: bool = False) -> None:
        self.writers = list(writers)
        self.held = 0
        self._faults = faults
        self._queue: deque[Record] = deque()
        self._is_alone = is_alone
        self._raised: LogxError | None = None
        self._fresh()

    @property
    def boards(self) -> list[Any]:
        """The TensorBoard among the writers, if there is one."""
        return [each for each in self.writers if hasattr(type(each), "summaries")]

    def put(self, record: Record) -> None:
        """Take a record; it is written soon."""
        if not self.writers:
            return
        self._queue.append(record)
        if self._raised:
            raise self._raised
        if self._is_alone:
            self.flush()
        elif not self._wake.is_set():
            if self._thread is None:
                self._start()
            self._wake.set()

    def flush(self) -> None:
        """Write everything that came so far."""
        with self._lock:
            while self._queue:
                record = self._queue.popleft()
                for writer in self.writers:
                    self._try(writer, writer.write, record)
            for writer in self.writers:
                if hasattr(writer, "flush"):
                    self._try(writer, writer.flush)

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._queue.clear()
        self.writers = [writer for writer in self.writers if hasattr(writer, "survives_fork")]
        for writer in self.writers:
            if hasattr(writer, "forked"):
                writer.forked()
        self._is_alone = True
        self._fresh()

    def close(self) -> None:
        """Write everything and close the writers."""
        self.flush()
        self._closed = True
        self._wake.set()
        with self._lock:
            for writer in self.writers:
                self._try(writer, writer.close)
            self.writers = []

    def forgiving(self, writer: Any, function: Any) -> Any:
        """Let a function fail for want of disk, or of a package, without ending the training."""
        if not callable(function):
            return function

        named_after = getattr(function, "__name__", "it")

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except OSError as error:
                self._faults.met(type(writer).__name__, error)
            except ImportError as error:
                package = {"PIL": "pillow"}.get(str(error.name), str(error.name))
                needed = LogxError(f"it needs {package}: pip install {package}")
                self._faults.met(named_after, needed)

        return call

    def _fresh(self) -> None:
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
                    # Strict: the training's own thread raises it.
                    self._raised = error

    def _try(self, writer: Any, action: Any, *arguments: Any) -> None:
        name = type(writer).__name__
        try:
            action(*arguments)
        except Exception as error:  # noqa: BLE001  Whatever a writer does, the training goes on.
            self._faults.met(name, error)
        else:
            if self._faults.standing:
                self._faults.over(name)


class Held:
    """While this context lasts nothing is written; at its end, everything is, if so asked."""

    def __init__(self, behind: Behind | None, flush_at_end: bool) -> None:
        self._behind, self._flush = behind, flush_at_end

    def __enter__(self) -> None:
        if self._behind:
            self._behind.held += 1

    def __exit__(self, *raised: object) -> None:
        if self._behind:
            self._behind.held -= 1
            if self._flush and not self._behind.held:
                self._behind.flush()


class Summaries:
    """Gives every call to the SummaryWriter of TensorBoard, or where that is off to nobody."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._board = behind.boards[0] if behind.boards else None

    def __getattr__(self, name: str) -> Any:
        if self._board is None:
            return _nothing
        if name == "flush":
            return self._behind.flush
        return self._behind.forgiving(self._board, getattr(self._board.summaries, name))


def _nothing(*arguments: Any, **named: Any) -> None:
    """Take any call."""
