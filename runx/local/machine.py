"""What there is on this machine for this process: cores and memory, by affinity and cgroups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CGROUPS, _OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Group(NamedTuple):
    """A cgroup that limits this process: its id, the same for every process in it, and the limit.

    The limit is in cores, or in MiB.
    """

    id: str
    most: int


def cores() -> int:
    """Return the number of cores that this process may use, by its affinity and its cgroups."""
    return min([len(os.sched_getaffinity(0)), *(group.most for group in core_groups())])


def memory() -> int:
    """Return the MiB of memory that this process may use, by the machine and its cgroups."""
    return min([whole_memory(), *(group.most for group in memory_groups())])


def whole_memory() -> int:
    """Return the MiB of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def core_groups() -> Iterator[Group]:
    """Yield the cgroups that limit the cores of this process."""
    for id, (quota, *rest) in _limits("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"):
        period = rest[0] if rest else ""
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield Group(id, max(int(quota) // int(period), 1))


def memory_groups() -> Iterator[Group]:
    """Yield the cgroups that limit the memory of this process to less than there is."""
    for id, (limit, *_) in _limits("memory.max", "memory/memory.limit_in_bytes"):
        if limit.isdecimal() and int(limit) >> 20 < whole_memory():
            yield Group(id, int(limit) >> 20)


def _limits(name: str, *older: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the words of a limit of each of this process's cgroups, from its own to the root's.

    ``name`` is the file of version 2; ``older`` are those of version 1, by controller (cgroups(7)).
    Each comes with the number of the group's folder, which containers see alike.
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
                yield f"{files[0].parent.stat().st_ino}", words


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
