"""Reading and copying files that others may be changing meanwhile."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os

from runx.errors import StagingError
from runx.staging.listing import Stamp, stamp_of
from runx.staging.walking import unreadable

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
