"""Who holds the GPUs of this machine: runs, by their leases, and other processes."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from runx.local.leases import Leases
from runx.local.nvidia import BUSY, Gpu, Listing, processes_on
from runx.rundir.machines import this_machine

_TEXTS = ("run", "experiment", "user")
_NUMBERS = ("pid", "since")


class Held(NamedTuple):
    """A GPU, or a slice of one, and who holds it: nobody where ``state`` is ``free``.

    ``held``: a run has its lease; ``used``: other processes fill it. ``gpu`` is the index that
    nvidia-smi gives, ``name`` that by which CUDA_VISIBLE_DEVICES takes it. ``run`` is the path of a
    run, ``since`` in seconds since 1970. What is not known is empty, or None.
    """

    gpu: str
    name: str
    state: str
    experiment: str = ""
    run: str = ""
    user: str = ""
    pid: int | None = None
    since: float | None = None

    def json(self) -> dict[str, Any]:
        """Return this as ``runx gpus --json`` prints it."""
        return self._asdict()


def gpus_held(listing: Listing, environment: Mapping[str, str]) -> Iterator[Held]:
    """Yield every GPU that nvidia-smi lists, each slice of one, and any other that is leased."""
    leases = Leases(environment, lambda line: None)
    users = processes_on()
    known = set()
    for gpu in listing.gpus:
        for name in gpu.names:
            known.add(name)
            yield _held(gpu, name, leases, users.get(gpu.uuid, ()))
    for name in sorted(leases.locked() - known):
        yield Held("", name, "held", **_told(leases.text(name)))


def _held(gpu: Gpu, name: str, leases: Leases, users: tuple[int, ...]) -> Held:
    if leases.is_locked(name):
        return Held(gpu.index, name, "held", **_told(leases.text(name)))
    if gpu.slices or (gpu.used <= BUSY and not users):
        return Held(gpu.index, name, "free")
    pid = users[0] if users else None
    return Held(gpu.index, name, "used", pid=pid, **_process(pid))


def _told(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the text of a lease says, as far as it is what it should be."""
    found: dict[str, Any] = {
        key: "".join(filter(str.isprintable, content[key]))
        for key in _TEXTS
        if isinstance(content.get(key), str)
    }
    for key in _NUMBERS:
        if isinstance(content.get(key), (int, float)) and not isinstance(content[key], bool):
            found[key] = content[key]
    return found


def _process(pid: int | None) -> dict[str, Any]:
    """Return whose a process is, and since when it goes on, as far as it is seen from here."""
    with suppress(OSError, ValueError, IndexError):
        folder = Path(f"/proc/{pid}")
        # Field 22 of proc(5), counted behind the name in parentheses: ticks since the boot.
        ticks = int((folder / "stat").read_text().rpartition(")")[2].split()[19])
        since = this_machine().booted + ticks / os.sysconf("SC_CLK_TCK")
        return {"user": user_name(folder.stat().st_uid), "since": since}
    return {}


def user_name(number: int) -> str:
    """Return the name of a user, its number where it has none.

    >>> user_name(4_000_000_000)
    '4000000000'
    """
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return str(number)
