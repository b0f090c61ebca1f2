"""One look at a run's directory: what its files hold, and by which stamps that can be told later.

What has been concluded from a look holds for as long as the stamps do, since whatever was there
or was missing is covered by its own stamp or its folder's. Where a conclusion also rests on
something that no stamp tells (a lock, a process, a clock), the look is a passing one.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int, int]
"""When a file was written and when it last changed, in nanoseconds; its size; its inode."""


stamp = operator.attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")
"""Return the stamp of a file, given what the system says of it."""


class Look:
    """The files of one run, read by their names in its directory."""

    __slots__ = ("passing", "path", "stamps")

    def __init__(self, path: str) -> None:
        self.path = path
        self.stamps: dict[str, Stamp] = {}
        self.passing = False
        self.note("")

    def content(self, name: str) -> bytes | None:
        """Read a file; None where it isn't there."""
        try:
            descriptor = os.open(f"{self.path}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            # The stamp comes before the content: what is added meanwhile shows in the next one.
            status = os.fstat(descriptor)
            self.stamps[name] = stamp(status)
            content = os.read(descriptor, status.st_size + 1)
            return content if len(content) == status.st_size else content + _rest(descriptor)
        finally:
            os.close(descriptor)

    def names(self, folder: str) -> list[str]:
        """Name what is in a folder of the run; nothing where it isn't there."""
        self.note(folder)
        try:
            return os.listdir(f"{self.path}/{folder}")
        except (FileNotFoundError, NotADirectoryError):
            return []

    @property
    def mark(self) -> int:
        """What ``mark`` gives for as long as all that was looked at is as it was."""
        return hash(tuple(self.stamps.values()))

    @property
    def changed(self) -> int:
        """When any of it last changed; a time that was set by hand counts no more than that."""
        return max(max(written, changed) for written, changed, _, _ in self.stamps.values())

    def final(self, name: str) -> None:
        """Say of a file that nobody writes to it any more."""
        self.stamps.pop(name, None)

    def note(self, name: str) -> None:
        """Note the stamp of something that is about to be read by somebody else."""
        try:
            self.stamps[name] = stamp(os.stat(f"{self.path}/{name}"))
        except OSError:
            self.stamps.pop(name, None)


def _rest(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def mark(run: str, names: Iterable[str], folder: int | None = None) -> int | None:
    """Make one number of the stamps of a run's files, None where one isn't there.

    ``folder`` is a descriptor of the folder that ``run`` is relative to: from there the system has
    less of a path to walk. The number is the same in every process of one kind of Python.
    """
    try:
        return hash(tuple([stamp(os.stat(f"{run}/{name}", dir_fd=folder)) for name in names]))
    except OSError:
        return None
