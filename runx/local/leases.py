"""Leases of GPUs, and files of counts: runs keep them locked, in a folder that all users share.

Nothing there is trusted: links are not followed, files are not waited for, and where the folder or
a file is not what it should be, a private folder takes its place. That a lease is held is the
kernel's word; its text, of who holds it, is for people alone.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from tempfile import mkdtemp
from typing import Any, TypeVar

from runx.locks import acquire_open, is_held

LEASES = "RUNX_LEASES"
"""The variable with the folder of the leases, for tests; else it is the machine's temporary one."""

_SHARED = 0o1777  # everybody makes files there, and removes none of others
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would make us wait
_ODD = re.compile(r"[/\0]")
_NAMED = re.compile(r"gpu-(.+)\.lock")
_LONGEST = 1 << 14  # bytes of the text of a lease
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
        return self._used(_file(name), os.O_RDWR, acquire_open)

    def is_locked(self, name: str) -> bool:
        """Return whether a run holds a device; nothing is made by asking."""
        return any(is_held(file) for file in self._files(name))

    def text(self, name: str) -> dict[str, Any]:
        """Return what the lease of a device says of who holds it, empty where it says nothing."""
        for file in self._files(name):
            with suppress(OSError, ValueError):
                descriptor = os.open(file, _OPEN | os.O_RDONLY)
                with os.fdopen(descriptor, "rb") as content:
                    is_text = stat.S_ISREG(os.fstat(descriptor).st_mode) and is_held(file)
                    told = json.loads(content.read(_LONGEST)) if is_text else None
                if isinstance(told, dict):
                    return told
        return {}

    def locked(self) -> set[str]:
        """Return the names, as files have them, of all devices that runs hold."""
        found = set()
        for folder in self._folders:
            with suppress(OSError):
                names = (_NAMED.fullmatch(file) for file in os.listdir(folder))  # noqa: PTH208
                found |= {name[1] for name in names if name and self.is_locked(name[1])}
        return found

    @property
    def _folders(self) -> tuple[str, ...]:
        return self._shared, self._private[0]

    def _files(self, name: str) -> list[str]:
        return [f"{folder}/{_file(name)}" for folder in self._folders]

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


def say_holder(lock: int, content: Mapping[str, Any]) -> None:
    """Write into a locked lease who holds it, for people; on a full disk it stays unsaid."""
    with suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(content).encode(), 0)


def _file(name: str) -> str:
    return f"gpu-{_ODD.sub('-', name)[:200]}.lock"


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
