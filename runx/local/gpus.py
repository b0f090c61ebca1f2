"""The GPUs of this machine, each leased to one run by a lock that the kernel drops with the run."""

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
from runx.processes import run_command

LEASES = "RUNX_LEASES"
"""The variable with the folder of the leases, for tests; else it is the machine's temporary one."""

BUSY = 1024
"""MiB of memory in use from which on a GPU counts as taken by another process."""

_FRESH = 2.0  # seconds for which the list of busy GPUs is used again

_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""CUDA reads the first, ROCm's HIP either. ROCR_VISIBLE_DEVICES works below HIP, which counts what
is left anew: to set both would leave devices out twice."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The devices of one run, the variables that name them to it, and the locks that hold them."""

    devices: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[int, ...] = ()

    def close(self) -> None:
        """Close the locks here; the run's processes hold them until the last has ended."""
        for lock in self.locks:
            os.close(lock)


class Devices(Protocol):
    """A source of devices for runs."""

    def lease(self) -> Lease | None:
        """Return the devices of one run, or None while not enough are free."""


class NoDevices:
    """The source on a machine whose runs share what there is."""

    def lease(self) -> Lease | None:
        """Return an empty lease."""
        return Lease()


@dataclass(slots=True)
class Gpus:
    """GPUs by name, ``each`` of them to a run.

    ``variables`` are set to the names of a run's own GPUs; ``busy`` returns the names of those
    that are in use by others.
    """

    names: Sequence[str]
    each: int
    folder: Path
    variables: Sequence[str]
    busy: Callable[[], Iterable[str]]

    def lease(self) -> Lease | None:
        """Lock as many GPUs as a run gets, or none."""
        locks: dict[str, int] = {}
        busy = set(self.busy())
        for name in self.names:
            if len(locks) < self.each and name not in busy:
                lock = _lock(self.folder, name)
                if lock is not None:
                    locks[name] = lock
        environment = dict.fromkeys(self.variables, ",".join(locks))
        lease = Lease(tuple(locks), environment, tuple(locks.values()))
        if len(locks) == self.each:
            return lease
        lease.close()
        return None


def devices(
    named: Sequence[str], each: int | None, environment: Mapping[str, str], alone: bool = False
) -> tuple[Devices, int]:
    """Return the devices for runs here, and for how many runs they are enough: 0 where none are.

    ``named`` are those of the setting GPUS, ``each`` is how many a run gets (None: one, if any).
    Runs that go on ``alone``, one after another, share what this process has, unless ``named`` or
    ``each`` is given.

    Raises:
        SettingsError: There are fewer GPUs than a run is to get, or nvidia-smi fails.
    """
    if each == 0 or (alone and each is None and not named):
        return NoDevices(), 0
    gpus = [] if named else list_gpus()
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    names = visible_names(named, environment) if named else visible_gpus(gpus, visible)
    if each is None and not names:
        return NoDevices(), 0
    each = each or 1
    if each > len(names):
        reason = f"{len(names)} are there" if names else "none is found; GPUS in .runx names them"
        raise SettingsError(f"--gpus-per-run {each}: {reason}")
    variables = _VARIABLES[:1] if gpus else _VARIABLES
    folder = leases_folder(environment)
    return Gpus(names, each, folder, variables, _BusyGpus() if gpus else tuple), len(names) // each


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi lists it; ``used`` is in MiB."""

    index: str
    uuid: str
    used: int


def list_gpus() -> list[Gpu]:
    """Return this machine's GPUs by nvidia-smi; none where that is not installed.

    The query and its columns are those of ``nvidia-smi --help-query-gpu``.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    command = ("nvidia-smi", "--query-gpu=index,uuid,memory.used", "--format=csv,noheader,nounits")
    result = run_command(command, timeout=30)
    if result.status:
        raise SettingsError(f"nvidia-smi: {result.last_line}; name the GPUs with GPUS in .runx")
    rows = [[cell.strip() for cell in line.split(",")] for line in result.output.splitlines()]
    return [Gpu(index, uuid, int(used) if used.isdecimal() else 0) for index, uuid, used in rows]


def visible_gpus(gpus: Sequence[Gpu], visible: str | None) -> list[str]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES leaves visible, by index or beginning of a UUID.

    What follows an entry that matches no GPU is not visible, as CUDA has it.

    >>> two = [Gpu("0", "GPU-aa", 0), Gpu("1", "GPU-bb", 0)]
    >>> visible_gpus(two, None), visible_gpus(two, "1"), visible_gpus(two, "GPU-a")
    (['GPU-aa', 'GPU-bb'], ['GPU-bb'], ['GPU-aa'])
    >>> visible_gpus(two, "")
    []
    """
    if visible is None:
        return [gpu.uuid for gpu in gpus]
    names: list[str] = []
    for entry in filter(None, (part.strip() for part in visible.split(","))):
        if entry.startswith("MIG"):
            names.append(entry)
            continue
        matches = [
            g.uuid
            for g in gpus
            if g.index == entry or (g.uuid.startswith(entry) and entry[:3] == "GPU")
        ]
        if not matches:
            break
        names.append(matches[0])
    return list(dict.fromkeys(names))


def visible_names(named: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return those of the setting GPUS that the variables of this process leave visible.

    >>> visible_names(["0", "1"], {"HIP_VISIBLE_DEVICES": "1,7"})
    ['1']
    """
    names = list(dict.fromkeys(named))
    for variable in _VARIABLES:
        if variable in environment:
            visible = {part.strip() for part in environment[variable].split(",")}
            names = [name for name in names if name in visible]
    return names


@dataclass(slots=True)
class _BusyGpus:
    """The GPUs that other processes use, by nvidia-smi, which is run every few seconds at most."""

    names: tuple[str, ...] = ()
    updated: float = float("-inf")

    def __call__(self) -> Iterable[str]:
        if time.monotonic() - self.updated > _FRESH:
            self.names = tuple(gpu.uuid for gpu in list_gpus() if gpu.used > BUSY)
            self.updated = time.monotonic()
        return self.names


def leases_folder(environment: Mapping[str, str]) -> Path:
    """Make the folder of leases, which all users of this machine share, and return it."""
    folder = Path(environment.get(LEASES) or "/tmp/runx-leases")
    folder.mkdir(exist_ok=True)
    _share(folder, 0o1777)
    return folder


def _lock(folder: Path, name: str) -> int | None:
    """Lock a GPU and return the descriptor; None where another run has it."""
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
    """Set the mode of a path of this user: the umask may have narrowed it."""
    if path.stat().st_uid == os.geteuid():
        path.chmod(mode)
