"""File locks by flock(2) and fcntl(2), released when the last process with the file open ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PAUSE = 0.01  # seconds between two tries
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)
_OF_THE_KERNEL = {
    "bcachefs",
    "btrfs",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "overlay",
    "tmpfs",
    "xfs",
    "zfs",
}
"""File systems whose locks are the kernel's own, whatever namespace a process is in."""


@contextmanager
def hold(path: Path) -> Iterator[int]:
    """Wait for the lock of a file and hold it in the context; yield the descriptor.

    A process that inherits the descriptor holds the lock, too. The file is created if missing.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def acquire(path: Path, patience: float = 0.0) -> int | None:
    """Lock a file and return its descriptor, to be closed; None if another process has the lock.

    The file is created if missing. ``patience`` is for how many seconds the lock is tried: callers
    of ``is_held`` hold it for a moment.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    return acquire_open(descriptor, patience)


def acquire_open(descriptor: int, patience: float = 0.0) -> int | None:
    """Lock an open file as ``acquire`` does; the file is closed if another process has the lock."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        except BaseException:
            os.close(descriptor)
            raise
        time.sleep(_PAUSE)


@contextmanager
def alone(descriptor: int, patience: float) -> Iterator[bool]:
    """Hold the lock of an open file in the context; yield False where another has it all the time.

    ``patience`` is for how many seconds it is tried.
    """
    lock = acquire_open(os.dup(descriptor), patience)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)


def release(descriptor: int) -> None:
    """Unlock and close a file, and ranges of it, for the processes that inherited it, too."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    with suppress(OSError):  # A kernel without locks of ranges has none.
        _ranges(descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, range(0))
    os.close(descriptor)


def lock_range(descriptor: int, part: range, shared: bool = False) -> bool:
    """Lock bytes of an open file, which need not exist; return False where another has one of them.

    The lock is that of the open file, as one by flock(2), and not of the process: those that
    inherit the descriptor hold it. Several may have a ``shared`` one.
    """
    try:
        kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
        _ranges(descriptor, fcntl.F_OFD_SETLK, kind, part)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def locked_ranges(descriptor: int, part: range) -> list[range]:
    """Return those bytes of a part of an open file that others have locked, in any order."""
    locked, unknown = [], [part] if part else []
    while unknown:
        part = unknown.pop()
        kind, start, length = _ranges(descriptor, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, part)
        if kind != fcntl.F_UNLCK:
            # The kernel returns any one of them; without a length it has no end.
            end = min(start + length, part.stop) if length else part.stop
            locked.append(range(max(start, part.start), end))
            unknown += filter(None, (range(part.start, start), range(end, part.stop)))
    return locked


def _ranges(descriptor: int, command: int, kind: int, part: range) -> tuple[int, int, int]:
    """Call fcntl(2) about a part of a file, all of it where it is empty; return its answer.

    The structure is that of F_OFD_SETLK: the type, whence, start, length and, always 0, a process.
    """
    import struct  # not at start: most readers of runs lock no ranges

    layout = "hhqqi0q"
    answer = fcntl.fcntl(
        descriptor, command, struct.pack(layout, kind, os.SEEK_SET, part.start, len(part), 0)
    )
    kind, _, start, length, _ = struct.unpack(layout, answer)
    return kind, start, length


def is_held(path: Path | str) -> bool | None:
    """Return whether a process holds the lock of a file.

    None where there is no such file, or its file system has no locks.
    """
    try:
        # A pipe that somebody put there must not make us wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno in _TAKEN else None
    finally:
        os.close(descriptor)
    return False


def may_be_held(path: Path) -> bool:
    """Return whether a process may hold the lock of a file: as is_held, and True if unknown."""
    held = is_held(path)
    return path.exists() if held is None else held


def is_seen_by_all(path: Path | str) -> bool:
    """Return whether every process of this machine sees who holds the lock of a file.

    Where a file system is mounted twice from a server, or belongs to a program, that is not sure.
    """
    try:
        status = Path(path).stat()
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace")
    except OSError:
        return False
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    # Fields as in proc(5): the third is the device, and the type follows a lone hyphen.
    types = {
        line.partition(" - ")[2].split()[0]
        for line in mounts.splitlines()
        if line.split()[2] == device
    }
    return bool(types) and types <= _OF_THE_KERNEL
