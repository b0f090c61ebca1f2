"""A file that is only appended to, by one process and its forks, and that forgives the disk."""

from __future__ import annotations

import errno
import os
from collections import deque
from threading import RLock

KEPT = 100_000
"""How many writes are kept in memory while the file can't be written."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EINTR, errno.EAGAIN)
"""What passes by itself, with the file still open."""


FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Appender:
    """Appends each piece of data with one write.

    What can't be written is kept in memory and goes out before the next piece; the error is
    raised all the same, for the caller to tell.

    ``head`` begins a new file; ``torn`` ends a last line that some earlier writer left torn.
    """

    def __init__(self, path: str, head: bytes = b"", torn: bytes = b"") -> None:
        self.path = path
        self.dropped = 0
        self._head, self._torn = head, torn
        self._descriptor = self._inode = -1
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._lock = RLock()

    def append(self, data: bytes) -> None:
        """Write the data, or keep it and raise OSError. The file is opened when first needed."""
        with self._lock:
            if self._kept or self._write(data):
                self.dropped += len(self._kept) == KEPT
                self._kept.append(data)
                self.catch_up()

    def catch_up(self) -> None:
        """Write what was kept, or raise OSError."""
        with self._lock:
            while self._kept:
                if self._descriptor < 0:
                    self._open()
                if error := self._write(self._kept[0]):
                    raise error
                self._kept.popleft()

    def waiting(self) -> int:
        """Count what is kept in memory."""
        return len(self._kept)

    def forked(self) -> None:
        """Forget, in a forked child, what the parent will write; its lock may be held for ever."""
        self._lock = RLock()
        self._kept.clear()

    def close(self) -> None:
        """Write what was kept, or raise OSError; then close the file."""
        with self._lock:
            try:
                self.catch_up()
            finally:
                self._forget()

    def _open(self) -> None:
        descriptor = os.open(self.path, FLAGS, 0o666)
        self._descriptor, self._inode = descriptor, os.fstat(descriptor).st_ino
        end = os.lseek(descriptor, 0, os.SEEK_END)
        start = self._head
        if end:
            whole = not self._torn or os.pread(descriptor, 1, end - 1) == b"\n"
            start = b"" if whole else self._torn
        if start and (error := self._write(start)):
            self._forget()
            raise error

    def _write(self, data: bytes) -> OSError | None:
        """Write all of it or nothing, and give what stood in the way."""
        try:
            stat = os.fstat(self._descriptor)
            if stat.st_ino != self._inode:
                # Somebody closed our file, and its number is now another's: not ours to close.
                self._descriptor = -1
            elif stat.st_nlink:
                written = os.write(self._descriptor, data)
                if written == len(data):
                    return None
                end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
                os.ftruncate(self._descriptor, end - written)
                return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
            self._forget()
            return FileNotFoundError(errno.ENOENT, "the file was removed", self.path)
        except OSError as error:
            if error.errno not in FULL:
                self._forget()
            return error

    def _forget(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.close(descriptor)
        except OSError:
            # Already closed, or a network file system's last word on writes reported before.
            pass
