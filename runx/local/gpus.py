"""The GPUs of this machine, each leased to one run by a lock that the kernel drops with the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from runx.errors import SettingsError
from runx.local.leases import Leases, say_holder
from runx.local.nvidia import BusyGpus, Gpu, Listing, list_gpus
from runx.locks import release

_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""CUDA reads the first, ROCm's HIP either. ROCR_VISIBLE_DEVICES works below HIP, which counts what
is left anew: to set both would leave devices out twice."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The devices of one run, the variables that name them to it, and the locks that hold them."""

    devices: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[int, ...] = ()

    def say_holder(self, content: Mapping[str, Any]) -> None:
        """Write into the leases of the devices who holds them."""
        for lock in self.locks[: len(self.devices)]:
            say_holder(lock, content)

    def close(self) -> None:
        """Free the devices of a run that has ended, whoever has inherited their locks."""
        for lock in self.locks:
            release(lock)


class Devices(Protocol):
    """A source of devices for runs."""

    def lease(self, count: int | None = None) -> Lease | None:
        """Return ``count`` devices for one run, or None while not enough are free."""


class NoDevices:
    """The source on a machine whose runs share what there is."""

    def lease(self, count: int | None = None) -> Lease | None:
        """Return an empty lease."""
        return Lease()


@dataclass(slots=True)
class Gpus:
    """GPUs by name, ``each`` of them to a run that doesn't say how many.

    ``variables`` are set to the names of a run's own GPUs; ``busy`` returns the names of those
    that are in use by others.
    """

    names: Sequence[str]
    each: int
    leases: Leases
    variables: Sequence[str]
    busy: Callable[[], Iterable[str]]

    def lease(self, count: int | None = None) -> Lease | None:
        """Lock as many GPUs as a run gets, or none."""
        count = self.each if count is None else count
        if not count:
            return Lease()
        locks: dict[str, int] = {}
        busy = set(self.busy())
        for name in usable(self.names, count):
            if len(locks) < count and name not in busy:
                lock = self.leases.lock(name)
                if lock is not None:
                    locks[name] = lock
        environment = dict.fromkeys(self.variables, ",".join(locks))
        lease = Lease(tuple(locks), environment, tuple(locks.values()))
        if len(locks) == count:
            return lease
        lease.close()
        return None


def devices(
    named: Sequence[str],
    each: int | None,
    environment: Mapping[str, str],
    alone: bool = False,
    origin: str = "--gpus-per-run",
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Devices, int]:
    """Return the devices for runs here, and for how many runs they are enough: 0 where none are.

    ``named`` are those of the setting GPUS, ``each`` is how many a run gets (None: one, if any),
    and ``origin`` who says so. Runs that go on ``alone``, one after another, share what this
    process has, unless ``each`` is given.

    Raises:
        SettingsError: There are fewer GPUs than a run is to get.
    """
    if each == 0 or (alone and each is None):
        return NoDevices(), 0
    listing = Listing() if named else list_gpus(with_slices=True)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    names = visible_names(named, environment) if named else visible_gpus(listing.gpus, visible)
    count = each or 1
    if each and each > len(usable(names, each)):
        raise SettingsError(_too_few(names, each, origin, listing.problem))
    if listing.problem:
        say(f"note: {listing.problem}; {'only other GPUs are' if names else 'no GPU is'} used")
    if not names:
        return NoDevices(), 0
    variables = _VARIABLES[:1] if listing.gpus else _VARIABLES
    busy = BusyGpus() if listing.gpus else tuple
    source = Gpus(names, count, Leases(environment, say), variables, busy)
    return source, len(usable(names, count)) // count


def names_here(named: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the GPUs that this process may use, those of the setting GPUS where there are any."""
    if named:
        return visible_names(named, environment)
    return visible_gpus(list_gpus(with_slices=True).gpus, environment.get("CUDA_VISIBLE_DEVICES"))


def usable(names: Sequence[str], count: int) -> Sequence[str]:
    """Return the devices that a run of ``count`` can get: a process sees but one MIG slice.

    >>> usable(["GPU-a", "MIG-b", "MIG-c"], 2)
    ['GPU-a']
    """
    return [name for name in names if count == 1 or not name.startswith("MIG-")]


def _too_few(names: Sequence[str], each: int, origin: str, problem: str) -> str:
    """Return why no run can get so many devices, and what to do."""
    there = len(usable(names, each))
    reason = f"{there} {'is' if there == 1 else 'are'} there"
    if not names:
        reason = f"{problem or 'none is found'}; GPUS in .runx names them"
    elif there < len(names):
        reason += ", and a process sees but one MIG slice"
    if origin.startswith("--"):
        return f"{origin} {each}: {reason}"
    advice = f"say {origin}={there} or --gpus-per-run {there}"
    return f"RESOURCES: gpus: {each}: {reason}; {advice} to run with {'that' if there else 'none'}"


def visible_gpus(gpus: Sequence[Gpu], visible: str | None) -> list[str]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES leaves visible, by index or beginning of a UUID.

    What follows an entry that matches no GPU is not visible, and of a GPU that is cut into MIG
    slices one that is named as a whole gives the first alone, as CUDA has it.

    >>> two = [Gpu("0", "GPU-aa", 0), Gpu("1", "GPU-bb", 0)]
    >>> visible_gpus(two, None), visible_gpus(two, "1"), visible_gpus(two, "GPU-a")
    (['GPU-aa', 'GPU-bb'], ['GPU-bb'], ['GPU-aa'])
    >>> visible_gpus(two, "")
    []
    """
    if visible is None:
        return [name for gpu in gpus for name in gpu.names]
    names: list[str] = []
    for entry in filter(None, (part.strip() for part in visible.split(","))):
        if entry.startswith("MIG"):
            names.append(entry)
            continue
        matches = [
            g.names[0]
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
