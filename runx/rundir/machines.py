"""Which machine a process is, or was, on, and whether it lives, by what its files say of it."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from runx.processes import is_anothers

Locality: TypeAlias = Literal["here", "beside", "before", "renamed", "elsewhere"]
"""Where a process is, or was, as seen from this one.

``here``: in this pid namespace. ``beside``: on this machine, in another one, such as a container's.
``before``: on this machine, before it was started anew. ``renamed``: the same, but the machine had
another name; images of machines share ids, so that it may be another. ``elsewhere``: on another.
"""
_NAMES = ("host", "machine", "boot", "namespace")


class Machine(NamedTuple):
    """A machine: its name, the ids of its boot, of itself and of a pid namespace, its boot's time.

    ``booted`` is in seconds since 1970. What is not known is empty.
    """

    host: str
    boot: str
    machine: str = ""
    namespace: str = ""
    booted: float = 0.0


@functools.cache
def this_machine() -> Machine:
    """Return the machine and pid namespace of this process, as run.sh writes them."""
    booted = time.time() - uptime()
    return Machine(os.uname().nodename, boot_id(), machine_id(), pid_namespace(), booted)


def uptime() -> float:
    """Return the seconds since this machine was started, those asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def whoami() -> dict[str, Any]:
    """Return what identifies this process: machine, boot, pid namespace, pid and start time.

    The host's name is for people. The pid of a dead process is used again, but not with the same
    boot and start time in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)).
    """
    return dict(_whoami(os.getpid()))


@functools.lru_cache(maxsize=1)
def _whoami(pid: int) -> dict[str, Any]:
    names = dict(zip(this_machine()._fields, this_machine(), strict=True))
    return {**{name: names[name] for name in _NAMES}, "pid": pid, "start": start_time("self")}


def locality_of(process: Mapping[str, Any], machine: Machine) -> Locality:
    """Return where a process is, or was, by what identifies it. Files of earlier layouts lack much.

    >>> locality_of({"host": "a", "boot": "1"}, Machine("b", "1"))
    'beside'
    >>> locality_of({"host": "a", "boot": "1", "machine": "m"}, Machine("a", "2", "m"))
    'before'
    """
    is_named = process.get("host") == machine.host
    if (process.get("boot") or "") == machine.boot and (machine.boot or is_named):
        if "namespace" not in process:
            return "here" if is_named else "beside"
        return "here" if process["namespace"] == machine.namespace != "" else "beside"
    if not (process.get("machine") and machine.machine):
        return "before" if is_named else "elsewhere"
    if process["machine"] != machine.machine:
        return "elsewhere"
    if is_named:
        return "before"
    written = process.get("time")
    is_younger = isinstance(written, (int, float)) and written > machine.booted
    return "elsewhere" if is_younger else "renamed"


def is_process_alive(process: Mapping[str, Any], machine: Machine) -> bool | None:
    """Return whether a process lives; None where it can't be seen from here.

    >>> is_process_alive({"host": "elsewhere", "pid": 1}, Machine("here", "b"))
    """
    if not process.get("host"):
        return False
    locality = locality_of(process, machine)
    if locality == "here":
        return has_started(process.get("pid"), process.get("start"))
    return False if locality in ("before", "renamed") else None


def is_alive(
    locality: Locality,
    *,
    sighted: bool | None = None,
    locked: bool | None = None,
    is_lock_global: bool = False,
    is_silent: bool = False,
    is_silent_since_boot: bool = False,
) -> bool | None:
    """Return whether a process lives, by its locality and its signs; None where nobody can say.

    ``sighted``: whether it was seen, if ``here``; None where /proc hides it. ``locked``: whether
    its lock is held; ``is_lock_global``: whether all processes of this machine see each other's
    locks there.
    ``is_silent``, ``is_silent_since_boot``: no heartbeat came when some were due, or since this
    machine was started.

    >>> is_alive("beside", locked=False, is_silent=True)
    False
    """
    if locality == "here" and sighted is not None:
        return sighted
    if locked:
        return True
    if locality == "before":
        return False
    if locality == "renamed":
        return False if is_silent_since_boot else None
    if locality in ("here", "beside") and locked is False and (is_lock_global or is_silent):
        return False
    return None


def boot_id() -> str:
    """Return the id of this machine's boot (random(4)); empty where there is none."""
    return _read("/proc/sys/kernel/random/boot_id").strip()


def machine_id() -> str:
    """Return this machine's id (machine-id(5)); empty where it has none, as in most containers."""
    text = _read("/etc/machine-id").strip()
    return text if len(text) == 32 and text.isalnum() else ""


def pid_namespace() -> str:
    """Return the pid namespace of this process; empty where /proc is that of another one.

    Numbers of processes mean the same within one namespace alone (pid_namespaces(7)).
    """
    try:
        is_own = os.readlink("/proc/self") == str(os.getpid())  # noqa: PTH115
        return os.readlink("/proc/self/ns/pid") if is_own else ""  # noqa: PTH115
    except OSError:
        return ""


def start_time(pid: int | str) -> int | None:
    """Return when a process started in clock ticks since boot, or None if it is gone.

    It is field 22 of /proc/PID/stat (proc(5)).
    """
    stat = _read(f"/proc/{pid}/stat")
    return int(stat.rpartition(")")[2].split()[19]) if stat else None


def has_started(pid: object, start: object) -> bool | None:
    """Return whether the process that started at that time lives, None where it can't be seen.

    Its number is used again after its end, but not with its start time.
    """
    if not isinstance(pid, int):
        return False  # It is of a damaged file.
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        # /proc may hide the processes of others (hidepid, proc(5)).
        return None if is_anothers(pid) else False
    fields = stat.rpartition(")")[2].split()
    return fields[0] not in "ZX" and fields[19] == str(start)  # Z and X are dead already.


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
