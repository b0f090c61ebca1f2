"""Devices that are one run's own, held by locks that the kernel drops with the run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runx.errors import SettingsError
from runx.locks import acquire_open
from runx.processes import ran

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


FILLED = 1024
"""MiB of a GPU's memory in use from which on another process is taken to be filling it."""


_FRESH = 2.0  # seconds for which an answer of nvidia-smi is believed


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi lists it."""

    index: str
    uuid: str
    used: int


def listed() -> list[Gpu]:
    """Ask nvidia-smi for this machine's GPUs; none where it is not there.

    The query and its columns are those of ``nvidia-smi --help-query-gpu``.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    words = ("nvidia-smi", "--query-gpu=index,uuid,memory.used", "--format=csv,noheader,nounits")
    answer = ran(words, timeout=30)
    if answer.status:
        raise SettingsError(f"nvidia-smi: {answer.complaint}; name the GPUs with GPUS in .runx")
    rows = [[word.strip() for word in line.split(",")] for line in answer.output.splitlines()]
    return [Gpu(index, uuid, int(used) if used.isdecimal() else 0) for index, uuid, used in rows]


def allowed(gpus: Sequence[Gpu], visible: str | None) -> list[str]:
    """Name the GPUs that CUDA_VISIBLE_DEVICES leaves a person: by index, or by UUID's beginning.

    What follows an entry that names no GPU is not visible, as CUDA has it.

    >>> two = [Gpu("0", "GPU-aa", 0), Gpu("1", "GPU-bb", 0)]
    >>> allowed(two, None), allowed(two, "1"), allowed(two, "GPU-a"), allowed(two, "")
    (['GPU-aa', 'GPU-bb'], ['GPU-bb'], ['GPU-aa'], [])
    """
    if visible is None:
        return [gpu.uuid for gpu in gpus]
    names: list[str] = []
    for word in filter(None, (part.strip() for part in visible.split(","))):
        if word.startswith("MIG"):
            names.append(word)
            continue
        found = [
            g.uuid
            for g in gpus
            if g.index == word or (g.uuid.startswith(word) and word[:3] == "GPU")
        ]
        if not found:
            break
        names.extend(found[:1])
    return list(dict.fromkeys(names))


def devices(
    named: Sequence[str], each: int | None, environment: Mapping[str, str], alone: bool = False
) -> tuple[Devices, int]:
    """Find the devices that runs here are given, and how many runs they are enough for: 0 if none.

    ``named`` are those of the setting GPUS, ``each`` is how many a run gets (None: one, if any).
    Runs that go on ``alone``, one after another, are left what this process has, unless asked.
    """
    if each == 0 or (alone and each is None and not named):
        return NoDevices(), 0
    gpus = [] if named else listed()
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    names = permitted(named, environment) if named else allowed(gpus, visible)
    if each is None and not names:
        return NoDevices(), 0
    each = each or 1
    if each > len(names):
        there = f"{len(names)} are there" if names else "none is found; GPUS in .runx names them"
        raise SettingsError(f"--gpus-per-run {each}: {there}")
    variables = _VARIABLES[:1] if gpus else _VARIABLES
    folder = leases_folder(environment)
    return Gpus(names, each, folder, variables, _Filled() if gpus else tuple), len(names) // each


_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""CUDA reads the first, ROCm's HIP either. ROCR_VISIBLE_DEVICES works below HIP, which counts what
is left anew: to set both would leave devices out twice."""


def permitted(named: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Name those of the GPUs of the setting GPUS that a person's own variables leave visible.

    >>> permitted(["0", "1"], {"HIP_VISIBLE_DEVICES": "1,7"})
    ['1']
    """
    names = list(dict.fromkeys(named))
    for variable in _VARIABLES:
        if variable in environment:
            words = {word.strip() for word in environment[variable].split(",")}
            names = [name for name in names if name in words]
    return names


@dataclass(slots=True)
class _Filled:
    """The GPUs that other processes are filling, asked at most every few seconds."""

    names: tuple[str, ...] = ()
    asked: float = float("-inf")

    def __call__(self) -> Iterable[str]:
        if time.monotonic() - self.asked > _FRESH:
            self.names = tuple(gpu.uuid for gpu in listed() if gpu.used > FILLED)
            self.asked = time.monotonic()
        return self.names
