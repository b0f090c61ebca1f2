"""Reading and copying of single files, also of those that others are changing meanwhile."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os

from runx.errors import StagingError
from runx.staging.walk import Stamp, stamp_of, unreadable

CHUNK = 1 << 20  # bytes

_TRIES = 5

_FICLONE = 0x40049409  # the ioctl that makes a reflink: ioctl_ficlone(2)

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
"""Errors that mean that no hard link or reflink can be made; a copy still may."""


def read_steadily(source: str, sink: int | None = None) -> tuple[Stamp, str]:
    """Read a file until it does not change meanwhile, and return its stamp and digest.

    The content is written to the descriptor ``sink``.

    Raises:
        FileNotFoundError: The file is gone.
        StagingError: It can't be read, or changed each time.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise unreadable(source) from None
    try:
        for _ in range(_TRIES):
            before = stamp_of(os.fstat(descriptor))
            digest = _copy_and_digest(descriptor, sink)
            if stamp_of(os.fstat(descriptor)) == before:
                return before, digest
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
    """Copy a file to a new name, read-only and with its time; the copy is never written again.

    Return the stamp of the source, its digest, and the stat of the copy.
    """
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        stamp, digest = read_steadily(source, sink)
        os.fchmod(sink, stamp.mode & ~0o222)
        os.utime(sink, ns=(stamp.mtime, stamp.mtime))
        return stamp, digest, os.fstat(sink)
    except FileNotFoundError:
        os.unlink(target)
        raise
    finally:
        os.close(sink)


def copy_file(source: str, target: str, mode: int, clone: bool = False) -> None:
    """Copy a frozen file to a new name, with a mode and the file's time.

    With ``clone`` both share their blocks until one is written to, where the file system can.
    """
    origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if not (clone and make_reflink(origin, sink)):
                while chunk := os.read(origin, CHUNK):
                    _write(sink, chunk)
            mtime = os.fstat(origin).st_mtime_ns
            os.fchmod(sink, mode)
            os.utime(sink, ns=(mtime, mtime))
        finally:
            os.close(sink)
    finally:
        os.close(origin)


def make_reflink(origin: int, sink: int) -> bool:
    """Make the file of ``sink`` a reflink of that of ``origin``; return False where none can be."""
    try:
        fcntl.ioctl(sink, _FICLONE, origin)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    return True


def _copy_and_digest(origin: int, sink: int | None) -> str:
    """Read a file to its end, write it to ``sink`` if there is one, and return its digest."""
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
