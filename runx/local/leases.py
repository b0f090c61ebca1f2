"""Leases of GPUs, and files of counts: runs keep them locked, in a folder that all users share.

Nothing there is trusted: links are not followed, files are neither read nor waited for, and where
the folder or a file is not what it should be, a private folder takes its place.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from tempfile import mkdtemp
from typing import TypeVar

from runx.locks import acquire_open

LEASES = "RUNX_LEASES"
"""The variable with the folder of the leases, for tests; else it is the machine's temporary one."""

_SHARED = 0o1777  # everybody makes files there, and removes none of others
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would make us wait
_ODD = re.compile(r"[/\0]")
_T = TypeVar("_T")


class _NotTrusted(OSError):
    """A folder or file of leases is not what it should be."""


class Leases:
    """The leases of this machine's devices, by their names.

    ``say`` takes a line where a private folder takes the place of the shared one: then launches of
    other users are not seen.
    """

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.path = environment.get(LEASES) or "/tmp/runx-leases"
        self._say = say
        self._shared = self.path
        self._private = [f"{self.path}-{os.geteuid()}"]

    def lock(self, name: str) -> int | None:
        """Lock a device and return the descriptor, to be closed; None where another has it.

        Each is locked in the first folder that can be used for it, by all launches alike.
        """
        return self._used(f"gpu-{_ODD.sub('-', name)[:200]}.lock", os.O_RDONLY, acquire_open)

    def count(self, name: str) -> int:
        """Return the file in which a resource is counted, open, by its name."""
        return self._used(f"count-{name}.lock", os.O_RDWR, int)

    def _used(self, file: str, flags: int, use: Callable[[int], _T]) -> _T:
        with suppress(OSError):
            return use(_opened(self._shared, _SHARED, file, flags))
        with suppress(OSError):
            return self._tell(use(_opened(self._private[0], 0o700, file, flags)))
        if len(self._private) == 1:
            self._private.append(mkdtemp(prefix="runx-leases-"))
        return self._tell(use(_opened(self._private[1], 0o700, file, flags)), 1)

    def _tell(self, used: _T, number: int = 0) -> _T:
        """Say, once, which folder takes the place of the shared one; return what is used of it."""
        if self.path != self._private[number]:
            self.path = self._private[number]
            self._say(
                f"{self._shared}: not used, it is not a folder that users can share safely; GPUs"
                f" are leased in {self.path}, which launches of other users don't see"
            )
        return used


def _folder(path: str, mode: int) -> int:
    """Return a folder of leases, made if missing and open; raise OSError for anything else there.

    One of another user is shared only where nobody but its owner removes others' files (sticky).
    """
    with suppress(FileExistsError):
        os.mkdir(path, mode)  # noqa: PTH102
    folder = os.open(path, _OPEN | os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.fstat(folder)
        if status.st_uid == os.geteuid():
            if stat.S_IMODE(status.st_mode) != mode:
                os.fchmod(folder, mode)  # The umask may have narrowed it.
        elif mode != _SHARED or not (status.st_uid == 0 or status.st_mode & stat.S_ISVTX):
            raise _NotTrusted(path)
    except BaseException:
        os.close(folder)
        raise
    return folder


def _opened(path: str, mode: int, name: str, flags: int) -> int:
    """Return a plain file in a folder of leases, made if missing and open."""
    folder = _folder(path, mode)
    try:
        try:
            file = os.open(name, _OPEN | flags, dir_fd=folder)
        except FileNotFoundError:
            _make(folder, name)
            file = os.open(name, _OPEN | flags, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise _NotTrusted(name)
    finally:
        os.close(folder)
    return file


def _make(folder: int, name: str) -> None:
    """Make an empty file that everybody may lock, complete from its first moment."""
    beside = f".{os.getpid()}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    file = os.open(beside, flags, 0o600, dir_fd=folder)
    try:
        os.fchmod(file, 0o666)
        os.link(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        pass  # Another launcher was faster.
    finally:
        os.close(file)
        os.unlink(beside, dir_fd=folder)
