"""Reading and copying files that others may be changing meanwhile."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runx.errors import StagingError, StoreError
from runx.rundir.files import VERSION, read_json, write_whole
from runx.staging.walk import Entry, Stamp, stamp_of, unreadable

ATTEMPTS = 5


CHUNK = 1 << 20


FICLONE = 0x40049409


NO_LINK = frozenset(
    {
        errno.EMLINK,
        errno.EXDEV,
        errno.EPERM,
        errno.EACCES,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EINVAL,
        errno.ENOTTY,
    }
)
"""Why a hard link or a reflink can't be made where a copy can."""


def read_steadily(source: str, sink: int | None = None) -> tuple[Stamp, str]:
    """Read a file that doesn't change meanwhile: its stamp, and a digest of what is in it.

    What is read goes to the descriptor ``sink``. Raises FileNotFoundError where the file is gone.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise unreadable(source) from None
    try:
        for _ in range(ATTEMPTS):
            before = stamp_of(os.fstat(descriptor))
            content = _poured(descriptor, sink)
            if stamp_of(os.fstat(descriptor)) == before:
                return before, content
            os.lseek(descriptor, 0, os.SEEK_SET)
            if sink is not None:
                os.ftruncate(sink, 0)
                os.lseek(sink, 0, os.SEEK_SET)
    finally:
        os.close(descriptor)
    raise StagingError(
        f"{source}: changes while it is being frozen; wait for what writes it, "
        "or name it in CODE_IGNORE_PATTERNS"
    )


def freeze_file(source: str, target: str) -> tuple[Stamp, str, os.stat_result]:
    """Copy a file to where nothing is, read-only, its time kept: the copy is never written again.

    Gives the source's stamp, its content, and how the copy lies there.
    """
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        stamp, content = read_steadily(source, sink)
        os.fchmod(sink, stamp.mode & ~0o222)
        os.utime(sink, ns=(stamp.mtime, stamp.mtime))
        return stamp, content, os.fstat(sink)
    except FileNotFoundError:
        os.unlink(target)
        raise
    finally:
        os.close(sink)


def copy_file(source: str, target: str, mode: int, clone: bool = False) -> None:
    """Copy a frozen file to where nothing is: the copy is a run's own, with the mode given.

    ``clone`` shares the blocks of both until one is written to, where the file system can.
    """
    origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if not (clone and cloned(origin, sink)):
                _pour(origin, sink)
            about = os.fstat(origin)
            os.fchmod(sink, mode)
            os.utime(sink, ns=(about.st_mtime_ns, about.st_mtime_ns))
        finally:
            os.close(sink)
    finally:
        os.close(origin)


def cloned(origin: int, sink: int) -> bool:
    """Make one descriptor's file a reflink of another's; tell whether that could be done."""
    try:
        fcntl.ioctl(sink, FICLONE, origin)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    return True


def _pour(origin: int, sink: int) -> None:
    while chunk := os.read(origin, CHUNK):
        _write(sink, chunk)


def _poured(origin: int, sink: int | None) -> str:
    """Read to the end, and give a digest of what was read."""
    digest = hashlib.blake2b(digest_size=16)
    while chunk := os.read(origin, CHUNK):
        digest.update(chunk)
        if sink is not None:
            _write(sink, chunk)
    return digest.hexdigest()


def _write(sink: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(sink, rest) :]


FINE, COARSE = 100_000_000, 2_500_000_000
"""For how many nanoseconds a change may hide behind an unchanged stamp: by the file system's
ticks, or where it keeps whole seconds."""


@dataclass(frozen=True)
class Index:
    """Where a file was read: its stamp, and last its content; and the frozen tree made last."""

    tree: str = ""
    files: Mapping[str, Sequence[int | str]] = field(default_factory=dict)

    def content(self, entry: Entry) -> str | None:
        """Give the content of a file that is as it was when it was read."""
        known = self.files.get(entry.source)
        return str(known[-1]) if known and (*known[:-1],) == entry.stamp else None


def read_index(store: str) -> Index:
    """Read the index of a store, or give an empty one."""
    try:
        content = read_json(f"{store}/index.json")
        tree, files = str(content["tree"]), content["files"]
        return Index(tree, files) if set(map(type, files.values())) <= {list} else Index()
    except (StoreError, KeyError, AttributeError):
        return Index()


def write_index(store: str, index: Index) -> None:
    """Write the index of a store."""
    content = {"version": VERSION, "tree": index.tree, "files": index.files}
    write_whole(f"{store}/index.json", json.dumps(content) + "\n")


def indexed(tree: str, read: Iterable[tuple[Entry, str]], since: int) -> Index:
    """Make the index of what was read after the moment ``since``.

    A file changed shortly before may change again and keep its stamp: it is not kept.
    """
    return Index(
        tree,
        {
            entry.source: [*entry.stamp, content]
            for entry, content in read
            if settled(entry.stamp, since)
        },
    )


def settled(stamp: Stamp, since: int) -> bool:
    """Tell whether a change after ``since`` would show in the stamp.

    >>> settled(Stamp(5, 0o644, 1, 10**9 + 1, 10**9 + 1), since=2 * 10**9)
    True
    >>> settled(Stamp(5, 0o644, 1, 10**9, 10**9), since=2 * 10**9)
    False
    """
    whole_seconds = stamp.mtime % 10**9 == 0 and stamp.ctime % 10**9 == 0
    return max(stamp.mtime, stamp.ctime) + (COARSE if whole_seconds else FINE) < since


def moment(folder: str) -> int:
    """Tell the time as a file system and this machine do, whichever is behind."""
    path = f"{folder}/{os.urandom(8).hex()}"
    with open(path, "xb"):
        seen = os.stat(path).st_mtime_ns
    os.unlink(path)
    return min(seen, time.time_ns())
