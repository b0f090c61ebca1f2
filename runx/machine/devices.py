"""This machine's GPUs: which there are, which a person may use, which others are filling."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runx.errors import SettingsError
from runx.machine.leases import Devices, Gpus, NoDevices, leases_folder
from runx.processes import ran

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
