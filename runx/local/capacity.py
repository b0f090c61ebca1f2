"""What runs get of this machine: how many at a time, which GPUs, how many threads and how long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.farms.choice import gpu_size
from runx.farms.resources import Needs
from runx.local.gpus import Devices, devices, names_here
from runx.local.nvidia import memory_of
from runx.local.options import LocalOptions

THREADS = "OMP_NUM_THREADS"
"""The variable by which OpenMP, MKL, OpenBLAS and torch choose their number of threads."""

_FLAG = "--gpus-per-run {}"
_SITES_WORDS = ("partition", "account", "qos", "constraint", "image")
_CGROUPS, _OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Share(NamedTuple):
    """What one run gets: GPUs (None: as many as others), seconds until it is ended, threads."""

    gpus: int | None = None
    seconds: float | None = None
    threads: int | None = None


WHOLE = Share()
"""The share of a run of which nothing is said."""


class Capacity(NamedTuple):
    """How many runs this machine executes at a time, and the devices for them.

    ``threads`` is the number for a run that doesn't say its own, None where nobody should set one.
    ``gpus`` is likewise that of GPUs, None where all get as many, or what a flag says.
    """

    jobs: int
    devices: Devices
    threads: int | None = None
    gpus: int | None = None

    def share(self, need: Needs) -> Share:
        """Return what a run of these needs gets."""
        threads = self.threads and (need.cpus or self.threads)
        gpus = self.gpus if self.gpus is None or need.gpus is None else need.gpus
        return Share(gpus, need.time, threads)


class Wanted(NamedTuple):
    """What a launch wants of this machine: the needs of its runs, GPUS, MAX_PARALLEL, its flags.

    ``shared`` are the needs of a run that has none of its own. ``sets_threads``: whether the
    environment or ENV says how many threads a run has.
    """

    needs: Sequence[Needs]
    shared: Needs = Needs()
    gpus: Sequence[str] = ()
    max_parallel: int | None = None
    options: LocalOptions = LocalOptions()
    sets_threads: bool = False


def capacity(
    wanted: Wanted, environment: Mapping[str, str], say: Callable[[str], None]
) -> Capacity:
    """Return how many runs execute here at a time, and on which devices.

    Raises:
        SettingsError: This machine has less than a run needs.
    """
    options, most = wanted.options, cores()
    check(wanted.needs, wanted.shared, most, memory())
    _check_gpu_memory(wanted, environment)
    is_single = options.jobs is None
    each, smallest, origin = _gpus_each(wanted)
    source, room = devices(wanted.gpus, each, environment, is_single, origin, say)
    count = room * (each or 1)
    jobs = options.jobs or 1
    if options.jobs == 0:
        jobs = _automatic(wanted.needs, count // smallest, most)
        gpus = f"{count} GPU{'s' * (count > 1)}" if count else f"{most} cores, no GPU"
        say(f"-j auto: {jobs} at a time, on {gpus}")
    if wanted.max_parallel and jobs > wanted.max_parallel:
        jobs = wanted.max_parallel
        say(f"MAX_PARALLEL: {jobs} at a time")
    unsaid = None if each is None or origin == _FLAG else int(not is_single)
    return Capacity(jobs, source, _threads(wanted, jobs, most), unsaid)


def _gpus_each(wanted: Wanted) -> tuple[int | None, int, str]:
    """Return the most GPUs of any run, None where no run asks for any, the least, and who says so.

    A flag outweighs RESOURCES.
    """
    if wanted.options.gpus_per_run is not None:
        return wanted.options.gpus_per_run, wanted.options.gpus_per_run or 1, _FLAG
    counts = [need.gpus for need in wanted.needs if need.gpus is not None]
    is_said = counts and (any(counts) or len(counts) == len(wanted.needs))
    each = max(counts) if is_said else None
    smallest = min(filter(None, counts), default=1) if len(counts) == len(wanted.needs) else 1
    name = "RESOURCES: gpus" if each == wanted.shared.gpus else "SUBMIT_JOB.GPUS"
    return each, smallest, name + ": {}"


def _threads(wanted: Wanted, jobs: int, most: int) -> int | None:
    """Return the threads of each run, so that those which go on together don't share cores."""
    if wanted.sets_threads:
        return None
    together = min(jobs, len(wanted.needs))
    if together > 1 or any(need.cpus for need in wanted.needs):
        return max(most // max(together, 1), 1)
    return None


def _automatic(needs: Sequence[Needs], room: int, most: int) -> int:
    """Return for how many runs there are GPUs, or else cores, and memory."""
    limits = [room] if room else [most // max((need.cpus or 1 for need in needs), default=1)]
    largest = max((need.mem or 0 for need in needs), default=0)
    if largest:
        limits.append(memory() // largest)
    if any(need.mem == 0 for need in needs):
        limits.append(1)  # It wants all that there is.
    return max(min(limits), 1)


def check(needs: Iterable[Needs], shared: Needs, most: int, memory: int) -> None:
    """Raise SettingsError where a run needs more than this machine of so many cores and MiB."""
    for need in dict.fromkeys(needs):
        for key, wanted, there in (
            ("nodes", need.nodes, 1),
            ("cpus", need.cpus, most),
            ("mem", need.mem, memory),
        ):
            if wanted and wanted > there:
                text = _size if key == "mem" else str
                is_shared = getattr(need, key) == getattr(shared, key)
                name = f"RESOURCES.{key}" if is_shared else f"SUBMIT_JOB.{key.upper()}"
                raise SettingsError(
                    f"RESOURCES: {key}: {text(wanted)}: this machine has {text(there)};"
                    f" {name}={text(there)} runs it here"
                )


def _check_gpu_memory(wanted: Wanted, environment: Mapping[str, str]) -> None:
    """Raise SettingsError where a run needs GPUs of more memory than the smallest one here has."""
    most = max((need.gpu_mem or 0 for need in wanted.needs if need.gpus != 0), default=0)
    if not most:
        return
    there = memory_of(names_here(wanted.gpus, environment))
    if there is None or there < most:
        has = (
            "nvidia-smi can't tell that" if there is None else f"the smallest has {gpu_size(there)}"
        )
        raise SettingsError(
            f"RESOURCES: gpu_mem: {gpu_size(most)}: of this machine's GPUs {has};"
            " RESOURCES.gpu_mem=null runs it here all the same"
        )


def _size(mebibytes: int) -> str:
    return f"{mebibytes // 1024}G" if mebibytes >= 1024 else f"{mebibytes}M"


def unused(needs: Iterable[Needs]) -> list[str]:
    """Return the names of resources that mean something on a farm alone.

    >>> unused([Needs(gpus=1, partition="gpu")])
    ['partition']
    """
    names: dict[str, None] = {}
    for need in needs:
        names |= dict.fromkeys(name for name in _SITES_WORDS if getattr(need, name))
        names |= dict.fromkeys(resource.name for resource in need.rest)
    return list(names)


def measured(named: Sequence[str], environment: Mapping[str, str]) -> Needs:
    """Return what this machine has for one run; ``named`` are the GPUs of the setting GPUS."""
    names = names_here(named, environment)
    smallest = memory_of(names)
    return Needs(gpus=len(names), gpu_mem=smallest, cpus=cores(), mem=memory(), nodes=1)


def cores() -> int:
    """Return the number of cores that this process may use, by its affinity and its cgroups."""
    allowed = len(os.sched_getaffinity(0))
    for quota, *rest in _limits("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"):
        period = rest[0] if rest else ""
        if quota.isdecimal() and period.isdecimal() and int(period):
            allowed = min(allowed, max(int(quota) // int(period), 1))
    return allowed


def memory() -> int:
    """Return the MiB of memory that this process may use, by the machine and its cgroups."""
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit, *_ in _limits("memory.max", "memory/memory.limit_in_bytes"):
        if limit.isdecimal():
            size = min(size, int(limit))
    return size >> 20


def _limits(name: str, *older: str) -> Iterator[list[str]]:
    """Yield the words of a limit of each of this process's cgroups, from its own to the root's.

    ``name`` is the file of version 2; ``older`` are those of version 1, by controller (cgroups(7)).
    """
    try:
        lines = _OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        own = Path(path.lstrip("/"))
        for group in (own, *own.parents):
            files = [_CGROUPS / group / name]
            if controllers:
                parts = [file.split("/") for file in older]
                files = [_CGROUPS / controller / group / file for controller, file in parts]
                files = files if parts[0][0] in controllers.split(",") else []
            if words := [word for file in files for word in _words(file)]:
                yield words


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
