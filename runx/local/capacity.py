"""What runs get of this machine: how many at a time, which GPUs, how many threads and how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from runx.errors import SettingsError
from runx.farms.choice import gpu_size
from runx.farms.resources import Limit, Needs
from runx.local.counts import Counts, amounts, of_machine, size
from runx.local.gpus import Devices, Gpus, devices, names_here
from runx.local.machine import cores, memory
from runx.local.nvidia import memory_of
from runx.local.options import LocalOptions

THREADS = "OMP_NUM_THREADS"
"""The variable by which OpenMP, MKL, OpenBLAS and torch choose their number of threads."""

_WITHIN = "RUNX_ATTEMPT"  # run.sh sets it
_FLAG = "--gpus-per-run"
_SITES_WORDS = ("partition", "account", "qos", "constraint", "image")


class Share(NamedTuple):
    """What one run gets: GPUs (None: as many as others), seconds until it is ended, threads.

    ``counted`` are the amounts that it needs of what is counted on this machine, by its name.
    """

    gpus: int | None = None
    seconds: float | None = None
    threads: int | None = None
    counted: tuple[tuple[str, int], ...] = ()
    priority: int = 0


WHOLE = Share()
"""The share of a run of which nothing is said."""


class Capacity(NamedTuple):
    """How many runs this machine executes at a time, and the devices for them.

    ``threads`` is the number for a run that doesn't say its own, None where nobody should set one.
    ``gpus`` is likewise that of GPUs, None where all get as many, or what a flag says: ``each``.
    """

    jobs: int
    devices: Devices
    counts: Counts
    threads: int | None = None
    gpus: int | None = None
    each: int = 0
    priority: int = 0

    def share(self, need: Needs) -> Share:
        """Return what a run of these needs gets."""
        threads = self._threads(need.cpus)
        gpus = self.gpus if self.gpus is None or need.gpus is None else need.gpus
        leased = (self.each if gpus is None else gpus) if self.each else 0
        counted = (*amounts(need), *((("gpus", leased),) if leased else ()))
        return Share(gpus, need.time, threads, counted, self.priority)

    def threads_of(self, share: Share) -> int | None:
        """Return the threads of a run whose share was made by another capacity."""
        return self._threads(dict(share.counted).get("cpus"))

    def _threads(self, cpus: int | None) -> int | None:
        return self.threads and (cpus or self.threads)


class Wanted(NamedTuple):
    """What a launch wants of this machine: the needs of its runs, GPUS, MAX_PARALLEL, its flags.

    ``shared`` are the needs of a run that has none of its own. ``sets_threads``: whether the
    environment or ENV says how many threads a run has. ``limits`` are LIMITS. ``said`` are the
    keys that say the needs of steps, as STEPS.train.RESOURCES.
    """

    needs: Sequence[Needs]
    shared: Needs = Needs()
    gpus: Sequence[str] = ()
    max_parallel: int | None = None
    options: LocalOptions = LocalOptions()
    sets_threads: bool = False
    limits: Mapping[str, Limit] = {}
    priority: int = 0
    said: Mapping[Needs, str] = {}

    def key_of(self, need: Needs, key: str) -> str:
        """Return the key whose other value changes what a run needs.

        >>> step, own = Needs(cpus=4), Needs(cpus=8)
        >>> wanted = Wanted([step, own], said={step: "STEPS.train.RESOURCES"})
        >>> wanted.key_of(step, "cpus"), wanted.key_of(own, "cpus"), wanted.key_of(own, "gpus")
        ('STEPS.train.RESOURCES.cpus', 'SUBMIT_JOB.CPUS', 'RESOURCES.gpus')
        """
        if need in self.said:
            return f"{self.said[need]}.{key}"
        is_shared = getattr(need, key) == getattr(self.shared, key)
        return f"RESOURCES.{key}" if is_shared else f"SUBMIT_JOB.{key.upper()}"


def capacity(
    wanted: Wanted, environment: Mapping[str, str], say: Callable[[str], None]
) -> Capacity:
    """Return how many runs execute here at a time, and on which devices.

    Raises:
        SettingsError: This machine has less than a run needs.
    """
    options, most = wanted.options, cores()
    check(wanted, most, memory())
    check_limits(wanted.needs, wanted.limits)
    _check_gpu_memory(wanted, environment)
    is_single = options.jobs is None
    each, smallest, origin = _gpus_each(wanted)
    source, room = devices(wanted.gpus, each, environment, is_single, origin, say)
    count = room * (each or 1)
    jobs = options.jobs or 1
    if options.jobs == 0:
        jobs = _automatic(wanted, count // smallest, most)
        gpus = f"{count} GPU{'s' * (count > 1)}" if count else f"{most} cores, no GPU"
        say(f"-j auto: {jobs} at a time, on {gpus}")
    if wanted.max_parallel and jobs > wanted.max_parallel:
        jobs = wanted.max_parallel
        say(f"MAX_PARALLEL: {jobs} at a time")
    unsaid = None if each is None or origin == _FLAG else int(not is_single)
    each = (each or 1) if room else 0
    counts = _counts(wanted, source, environment, say)
    threads = _threads(wanted, jobs, most)
    return Capacity(jobs, source, counts, threads, unsaid, each, wanted.priority)


def _counts(
    wanted: Wanted, source: Devices, environment: Mapping[str, str], say: Callable[[str], None]
) -> Counts:
    """Return what is counted of this machine: nothing within a run, which has its part of it."""
    if _WITHIN in environment:
        return Counts()
    names = source.names if isinstance(source, Gpus) else ()
    return Counts(of_machine(wanted.limits, names), environment, say, wanted.priority)


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
    most = next((need for need in wanted.needs if need.gpus == each), wanted.shared)
    return each, smallest, wanted.key_of(most, "gpus")


def _threads(wanted: Wanted, jobs: int, most: int) -> int | None:
    """Return the threads of each run, so that those which go on together don't share cores."""
    if wanted.sets_threads:
        return None
    together = min(jobs, len(wanted.needs))
    if together > 1 or any(need.cpus for need in wanted.needs):
        return max(most // max(together, 1), 1)
    return None


def _automatic(wanted: Wanted, room: int, most: int) -> int:
    """Return for how many runs there are GPUs, or else cores, and memory, and what LIMITS names."""
    needs = wanted.needs
    limits = [room] if room else [most // max((need.cpus or 1 for need in needs), default=1)]
    largest = max((need.mem or 0 for need in needs), default=0)
    if largest:
        limits.append(memory() // largest)
    for name, limit in wanted.limits.items():
        if each := max((dict(amounts(need)).get(name, 0) for need in needs), default=0):
            limits.append(limit.most // each)
    if any(need.mem == 0 for need in needs):
        limits.append(1)  # It wants all that there is.
    return max(min(limits), 1)


def check_limits(needs: Iterable[Needs], limits: Mapping[str, Limit]) -> None:
    """Raise SettingsError where a run needs more than LIMITS lets all runs have."""
    for need in dict.fromkeys(needs):
        for name, amount in (*amounts(need), ("gpus", need.gpus or 0)):
            limit = limits.get(name)
            if limit and amount > limit.most:
                text = size if limit.is_size else str
                raise SettingsError(
                    f"RESOURCES: {name}: {text(amount)}: all runs on this machine may have"
                    f" {text(limit.most)}, says {limit.origin}: LIMITS"
                )


def check(wanted: Wanted, most: int, memory: int) -> None:
    """Raise SettingsError where a run needs more than this machine of so many cores and MiB."""
    for need in dict.fromkeys(wanted.needs):
        for key, amount, there in (
            ("nodes", need.nodes, 1),
            ("cpus", need.cpus, most),
            ("mem", need.mem, memory),
        ):
            if amount and amount > there:
                text = size if key == "mem" else str
                raise SettingsError(
                    f"RESOURCES: {key}: {text(amount)}: this machine has {text(there)};"
                    f" {wanted.key_of(need, key)}={text(there)} runs it here"
                )


def _check_gpu_memory(wanted: Wanted, environment: Mapping[str, str]) -> None:
    """Raise SettingsError where a run needs GPUs of more memory than the smallest one here has."""
    needs = [need for need in wanted.needs if need.gpus != 0]
    largest = max(needs, key=lambda need: need.gpu_mem or 0, default=Needs())
    most = largest.gpu_mem
    if not most:
        return
    there = memory_of(names_here(wanted.gpus, environment))
    if there is None or there < most:
        has = (
            "nvidia-smi can't tell that" if there is None else f"the smallest has {gpu_size(there)}"
        )
        raise SettingsError(
            f"RESOURCES: gpu_mem: {gpu_size(most)}: of this machine's GPUs {has};"
            f" {wanted.key_of(largest, 'gpu_mem')}=null runs it here all the same"
        )


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
