"""Devices that are one run's own, held by locks that the kernel drops with the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runx.locks import acquire_open

LEASES = "RUNX_LEASES"
"""Names a folder for the leases other than the machine's own temporary one, for tests."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Devices that are one run's own, the variables that tell it so, the locks that hold them."""

    devices: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[int, ...] = ()

    def close(self) -> None:
        """Let go of them here; the run's own processes hold on until the last of them ends."""
        for lock in self.locks:
            os.close(lock)


class Devices(Protocol):
    """Where runs get their devices from."""

    def lease(self) -> Lease | None:
        """Give one run's devices, or None while there are not enough that are free."""


class NoDevices:
    """A machine whose runs share what there is."""

    def lease(self) -> Lease | None:
        """Give nothing, to anyone."""
        return Lease()


@dataclass(slots=True)
class Gpus:
    """GPUs by name, ``each`` of them to a run.

    ``variables`` tell a run which are its own; ``filled`` names those in use by others.
    """

    names: Sequence[str]
    each: int
    folder: Path
    variables: Sequence[str] = ("CUDA_VISIBLE_DEVICES",)
    filled: Callable[[], Iterable[str]] = tuple

    def lease(self) -> Lease | None:
        """Lock as many GPUs as a run gets, or none."""
        taken: dict[str, int] = {}
        filled = set(self.filled())
        for name in self.names:
            if len(taken) < self.each and name not in filled:
                lock = _lock(self.folder, name)
                if lock is not None:
                    taken[name] = lock
        lease = Lease(tuple(taken), self._told(taken), tuple(taken.values()))
        if len(taken) == self.each:
            return lease
        lease.close()
        return None

    def _told(self, names: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(self.variables, ",".join(names))


def _lock(folder: Path, name: str) -> int | None:
    path = folder / f"gpu-{name.replace('/', '-')}.lock"
    try:
        # Without O_CREAT: the kernel refuses that for another user's file in a shared folder.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _share(path, 0o666)
    except PermissionError:
        return None  # Another user is just making it.
    return acquire_open(descriptor)


def _share(path: Path, mode: int) -> None:
    if path.stat().st_uid == os.geteuid():
        path.chmod(mode)


def leases_folder(environment: Mapping[str, str]) -> Path:
    """Make the folder of leases, which every user of this machine shares."""
    folder = Path(environment.get(LEASES) or "/tmp/runx-leases")
    folder.mkdir(exist_ok=True)
    _share(folder, 0o1777)
    return folder
