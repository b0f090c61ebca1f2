"""A file that one process and its forks append to, and that survives a full disk."""

from __future__ import annotations

import errno
import os
from collections import deque
from threading import RLock

MEMORY_LIMIT = 100_000
"""How many pieces of data are kept in memory while the file can't be written."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EINTR, errno.EAGAIN)
"""Errors that pass while the file stays open."""
FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Appender:
    """Appends each piece of data with one write(2).

    Data that can't be written is kept in memory, and written before the next; ``append`` raises the
    error nevertheless. ``head`` is written first to a new file, ``torn`` after a torn last line of
    an earlier writer. ``dropped`` counts what exceeded the memory limit.
    """

    def __init__(self, path: str, head: bytes = b"", torn: bytes = b"") -> None:
        self.path = path
        self.dropped = 0
        self._head, self._torn = head, torn
        self._descriptor = self._inode = -1
        self._pending: deque[bytes] = deque(maxlen=MEMORY_LIMIT)
        self._lock = RLock()

    def append(self, data: bytes) -> None:
        """Write the data, or keep it and raise OSError; the first time, open the file."""
        with self._lock:
            if self._pending or self._write(data):
                self.dropped += len(self._pending) == MEMORY_LIMIT
                self._pending.append(data)
                self.catch_up()

    def catch_up(self) -> None:
        """Write the pending data, or raise OSError."""
        with self._lock:
            while self._pending:
                if self._descriptor < 0:
                    self._open()
                if error := self._write(self._pending[0]):
                    raise error
                self._pending.popleft()

    def pending(self) -> int:
        """Return the number of pieces of data in memory."""
        return len(self._pending)

    def forked(self) -> None:
        """Forget, in a forked process, the data that the parent will write, and its lock."""
        self._lock = RLock()
        self._pending.clear()

    def close(self) -> None:
        """Write the pending data, or raise OSError; then close the file."""
        with self._lock:
            try:
                self.catch_up()
            finally:
                self._close_descriptor()

    def _open(self) -> None:
        descriptor = os.open(self.path, FLAGS, 0o666)
        self._descriptor, self._inode = descriptor, os.fstat(descriptor).st_ino
        end = os.lseek(descriptor, 0, os.SEEK_END)
        start = self._head
        if end:
            is_torn = self._torn and os.pread(descriptor, 1, end - 1) != b"\n"
            start = self._torn if is_torn else b""
        if start and (error := self._write(start)):
            self._close_descriptor()
            raise error

    def _write(self, data: bytes) -> OSError | None:
        """Write all of the data or nothing; return the error, None where it was written."""
        try:
            stat = os.fstat(self._descriptor)
            if stat.st_ino != self._inode:
                # The script closed our descriptor, and its number is now that of another file.
                self._descriptor = -1
            elif stat.st_nlink:
                written = os.write(self._descriptor, data)
                if written == len(data):
                    return None
                end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
                os.ftruncate(self._descriptor, end - written)
                return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
            self._close_descriptor()
            return FileNotFoundError(errno.ENOENT, "the file was removed", self.path)
        except OSError as error:
            if error.errno not in FULL:
                self._close_descriptor()
            return error

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.close(descriptor)
        except OSError:
            # Already closed, or a network file system's error about writes reported before.
            pass
