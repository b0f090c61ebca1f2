"""This machine's NVIDIA GPUs, as nvidia-smi lists them. Whatever that says, nothing fails of it."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from runx.errors import RunxError
from runx.processes import run_command

BUSY = 1024
"""MiB of memory in use from which on a GPU counts as taken by another process."""

_TIMEOUT = 30.0  # seconds that nvidia-smi may take: it hangs where a driver does
_FRESH, _FAILED = 2.0, 60.0  # seconds for which a list of busy GPUs is used again, and a failure
_QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.used", "--format=csv,noheader,nounits")
_MEMORY = ("nvidia-smi", "--query-gpu=uuid,memory.total", "--format=csv,noheader,nounits")
_LIST = ("nvidia-smi", "-L")
_APPS = ("nvidia-smi", "--query-compute-apps=gpu_uuid,pid", "--format=csv,noheader,nounits")
_ROW = re.compile(r"(\d+), *(GPU-[\w-]+), *(.*)")
_MIG = re.compile(r"\s+MIG .*\(UUID: *(MIG-[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi lists it; ``used`` is in MiB, ``slices`` are names of its MIG slices."""

    index: str
    uuid: str
    used: int
    slices: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which CUDA_VISIBLE_DEVICES takes it: those of its slices, if it has any."""
        return self.slices or (self.uuid,)


class Listing(NamedTuple):
    """The GPUs that nvidia-smi lists, and its first line that is none: what is wrong."""

    gpus: tuple[Gpu, ...] = ()
    problem: str = ""


def list_gpus(with_slices: bool = False) -> Listing:
    """Return this machine's GPUs by nvidia-smi; none where that is not installed.

    The query and its columns are those of ``nvidia-smi --help-query-gpu``; it prints to stdout
    what it can't do, too, with or without an exit status. MIG slices are listed by ``-L`` alone.
    """
    if shutil.which("nvidia-smi") is None:
        return Listing()
    lines, failure = _lines(_QUERY)
    gpus, odd = [], []
    for line in lines:
        if match := _ROW.fullmatch(line.strip()):
            used = match[3].strip()
            gpus.append(Gpu(match[1], match[2], int(used) if used.isdecimal() else 0))
        elif line.strip():
            odd.append("".join(filter(str.isprintable, line.strip())))
    if with_slices and gpus:
        slices = _slices(_lines(_LIST)[0])
        gpus = [replace(gpu, slices=tuple(slices.get(gpu.uuid, ()))) for gpu in gpus]
    problem = next(filter(None, (*odd, failure)), "")
    return Listing(tuple(gpus), f"nvidia-smi: {problem[:200]}" if problem else "")


def memory_of(names: Collection[str]) -> int | None:
    """Return the MiB of the smallest of some GPUs; None where nvidia-smi doesn't tell.

    Of a GPU that is cut into MIG slices it doesn't tell that of a slice.
    """
    if not names or shutil.which("nvidia-smi") is None:
        return None
    rows = (line.split(",") for line in _lines(_MEMORY)[0])
    sizes = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
    if any(not sizes.get(name, "").isdecimal() for name in names):
        return None
    return min(int(sizes[name]) for name in names)


def processes_on() -> dict[str, tuple[int, ...]]:
    """Return the ids of the processes that compute on each GPU, by its UUID, as far as are seen."""
    found: dict[str, tuple[int, ...]] = {}
    if shutil.which("nvidia-smi") is not None:
        for line in _lines(_APPS)[0]:
            name, _, pid = map(str.strip, line.partition(","))
            if name.startswith("GPU-") and pid.isdecimal():
                found[name] = (*found.get(name, ()), int(pid))
    return found


def _lines(command: tuple[str, ...]) -> tuple[list[str], str]:
    """Return what nvidia-smi prints, and why it failed, if it did."""
    try:
        result = run_command(command, timeout=_TIMEOUT)
    except RunxError as error:
        return [], str(error).removeprefix("nvidia-smi: ")
    return result.output.splitlines(), result.last_line if result.status else ""


def _slices(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the MIG slices of each GPU, by its UUID.

    >>> _slices(["GPU 0: A100 (UUID: GPU-a)", "  MIG 1g.5gb  Device 0: (UUID: MIG-b)"])
    {'GPU-a': ['MIG-b']}
    """
    slices: dict[str, list[str]] = {}
    latest: list[str] = []
    for line in lines:
        if gpu := re.match(r"GPU \d+: .*\(UUID: *(GPU-[\w-]+)\)", line):
            latest = slices.setdefault(gpu[1], [])
        elif mig := _MIG.match(line):
            latest.append(mig[1])
    return slices


@dataclass(slots=True)
class BusyGpus:
    """The GPUs that other processes use, by nvidia-smi, which is run every few seconds at most.

    Of MIG slices only the leases are known: nvidia-smi gives the memory of the whole GPU.
    """

    names: tuple[str, ...] = ()
    fresh_until: float = float("-inf")

    def __call__(self) -> Iterable[str]:
        """Return the UUIDs of GPUs in use."""
        if time.monotonic() > self.fresh_until:
            gpus, problem = list_gpus()
            if gpus:
                self.names = tuple(gpu.uuid for gpu in gpus if gpu.used > BUSY)
            self.fresh_until = time.monotonic() + (_FAILED if problem else _FRESH)
        return self.names
