"""The files of a run as they are read, with stamps that show later whether one has changed.

A result that was made from these files holds for as long as their stamps do: a file that was
missing is covered by the stamp of its folder. A result that also rests on what has no stamp (a
lock, a process, a clock) can't be kept.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int, int]
"""The mtime and ctime of a file in nanoseconds, its size in bytes, its inode."""
stamp = operator.attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")
"""Return the stamp of a file, given its os.stat_result."""


_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Nothing waits for somebody who writes to a pipe, where that stands for a file."""


class RunFiles:
    """The files of one run, read by their names in its directory.

    ``stamps``: those of the files that were read or noted. ``volatile``: whether a result also
    rests on what has no stamp.
    """

    __slots__ = ("path", "stamps", "volatile")

    def __init__(self, path: str) -> None:
        self.path = path
        self.stamps: dict[str, Stamp] = {}
        self.volatile = False
        self.note("")

    def content(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is no such file."""
        try:
            descriptor = os.open(f"{self.path}/{name}", _FLAGS)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            # Stamped before it is read: what is added in between changes the next stamp.
            status = os.fstat(descriptor)
            self.stamps[name] = stamp(status)
            content = os.read(descriptor, status.st_size + 1)
            return content if len(content) == status.st_size else content + _rest(descriptor)
        finally:
            os.close(descriptor)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder of the run, none where there is no such folder."""
        self.note(folder)
        try:
            return os.listdir(f"{self.path}/{folder}")
        except (FileNotFoundError, NotADirectoryError):
            return []

    @property
    def fingerprint(self) -> int:
        """The hash of the stamps: that of ``fingerprint()`` until one of the files changes."""
        return hash(tuple(self.stamps.values()))

    @property
    def last_change(self) -> int:
        """The latest mtime or ctime of these files, in nanoseconds: an mtime can be set."""
        return max(max(written, changed) for written, changed, _, _ in self.stamps.values())

    def include(self, inner: RunFiles, name: str) -> None:
        """Keep the stamps of a folder's files, which were read as those of a run."""
        self.stamps.update({f"{name}/{file}": each for file, each in inner.stamps.items()})
        self.volatile |= inner.volatile

    def drop(self, name: str) -> None:
        """Drop the stamp of a file that will never change again."""
        self.stamps.pop(name, None)

    def note(self, name: str) -> None:
        """Keep the stamp of a file or folder that is about to be read by other means."""
        try:
            self.stamps[name] = stamp(os.stat(f"{self.path}/{name}"))
        except OSError:
            self.stamps.pop(name, None)


def _rest(descriptor: int) -> bytes:
    """Return what is left in a file that has grown, or whose size isn't known (as in /proc)."""
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def fingerprint(run: str, names: Iterable[str], folder: int | None = None) -> int | None:
    """Return a hash of the stamps of a run's files, None where one of them is missing.

    ``folder`` is a descriptor of the folder that ``run`` is relative to, which saves the system
    walking a long path. The hash is the same in every process of the same Python version.
    """
    try:
        return hash(tuple([stamp(os.stat(f"{run}/{name}", dir_fd=folder)) for name in names]))
    except OSError:
        return None
