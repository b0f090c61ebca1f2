"""What is counted on this machine, over all launches of all users that see its folder of leases.

Each resource is a file, and a unit of it a byte, which need not exist. A run's processes inherit
locks on as many bytes as the run needs: the kernel drops them with the last of these processes,
however it ends, and whether or not its launcher lives. A launch that waits locks a byte beyond, by
its PRIORITY and the time: what it waits for is given to none that stands behind it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from runx.farms.resources import Limit, Needs
from runx.local.leases import Leases
from runx.local.machine import core_groups, memory_groups, whole_memory
from runx.locks import alone, lock_range, locked_ranges, release

ALL = -1
"""The amount that is all there is."""
_UNITS = range(1 << 40)
_LINE = 1 << 42  # bytes of a line of those that wait for the same places
_MOMENTS = 1 << 37  # bytes of those in a line that have the same PRIORITY: one a millisecond
_HIGHEST = 10  # of PRIORITY
_PATIENCE = 0.5  # seconds for which a file is tried that another launch counts in


class Count(NamedTuple):
    """Units that are counted together, in a file: at most ``most`` of those in ``places``.

    ``name`` is the key of RESOURCES; ``is_size``: a unit is a MiB. ``in_turn``: of equal PRIORITY,
    who waits longest is first.
    """

    name: str
    file: str
    most: int = 0
    places: tuple[range, ...] = (_UNITS,)
    is_size: bool = False
    in_turn: bool = True

    def line(self, priority: int) -> int:
        """Return the first byte of those that wait for these places with a PRIORITY."""
        number = 1 + crc32(repr(self.places).encode()) % (1 << 16)
        return number * _LINE + (_HIGHEST - priority) * _MOMENTS


class Shortage(NamedTuple):
    """What a run waits for, as people are told it, and where it is counted."""

    text: str
    of: Count


class Counts:
    """The counts of this machine, of a launch with a PRIORITY.

    ``say`` takes a line where nothing can be counted: then runs go on as if there were enough.
    """

    def __init__(
        self,
        counts: Iterable[Count] = (),
        environment: Mapping[str, str] = {},
        say: Callable[[str], None] = lambda line: None,
        priority: int = 0,
    ) -> None:
        self._counts = tuple(counts)
        self._leases, self._say = Leases(environment, say), say
        self._priority = priority
        self._waits: dict[Count, tuple[int, int]] = {}
        self._is_said = False

    def take(self, amounts: Iterable[tuple[str, int]]) -> tuple[int, ...] | Shortage:
        """Lock what a run needs of each resource, all or nothing; return the open files."""
        taken: list[int] = []
        for name, amount in amounts:
            for count in self.named(name):
                lock = self._take(count, count.most if amount == ALL else amount)
                if isinstance(lock, Shortage):
                    for each in taken:
                        release(each)
                    return lock
                taken += [] if lock is None else [lock]
        return tuple(taken)

    def named(self, name: str) -> Iterator[Count]:
        """Yield what is counted of a resource."""
        return (count for count in self._counts if count.name == name)

    def _take(self, count: Count, amount: int) -> int | Shortage | None:
        """Lock what a run needs of one count; None where it can't be counted."""
        try:
            file = self._leases.count(count.file)
            try:
                short = self._locked(count, file, amount)
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            self._give_up(count, error)
            return None
        if short:
            os.close(file)
            return Shortage(short, count)
        return file

    def _locked(self, count: Count, file: int, amount: int) -> str:
        """Lock so many units; return what is in the way."""
        with alone(file, _PATIENCE) as is_alone:
            if not is_alone:
                return f"{_word(count)}: another process holds {self._leases.path}"
            if locked_ranges(file, range(count.line(_HIGHEST), self._place(count))):
                return f"{_word(count)}: a launch is first that waits longer, or has PRIORITY"
            used = [part for place in count.places for part in locked_ranges(file, place)]
            held = sum(map(len, used))
            if amount and held + amount > count.most:
                return _lack(count, held, amount)
            free = list(_free(count.places, used, amount))
            if not all(lock_range(file, part) for part in free):
                return _lack(count, held, amount)
        return ""

    def _place(self, count: Count) -> int:
        """Return the byte of this launch in a line, the last of its PRIORITY if it doesn't wait."""
        if count in self._waits:
            return self._waits[count][1]
        moment = int(time.monotonic() * 1000) % _MOMENTS if count.in_turn else 0
        return count.line(self._priority) + moment

    def _give_up(self, count: Count, error: OSError) -> None:
        if not self._is_said:
            self._say(f"note: {count.name} can't be counted on this machine: {error.strerror}")
        self._is_said = True

    def leave(self, names: Collection[str]) -> None:
        """Leave the lines for these resources: a run got them, and the next one is last."""
        for count in [count for count in self._waits if count.name in names]:
            release(self._waits.pop(count)[0])

    def wait_for(self, shortages: Iterable[Shortage]) -> None:
        """Wait for these, too, and without any for nothing more; a launch that dies waits no more.

        A place is kept until all is there that a run needs.
        """
        wanted = {shortage.of for shortage in shortages}
        if not wanted:
            self.leave({count.name for count in self._waits})
        for count in wanted - self._waits.keys():
            try:
                file = self._leases.count(count.file)
                place = self._place(count)
                lock_range(file, range(place, place + 1), shared=True)
                self._waits[count] = file, place
            except OSError as error:
                self._give_up(count, error)


def _free(places: Iterable[range], used: Iterable[range], amount: int) -> Iterator[range]:
    """Yield the first units that nobody has, as many as ``amount``.

    >>> list(_free([range(0, 4), range(8, 12)], [range(1, 2)], 4))
    [range(0, 1), range(2, 4), range(8, 9)]
    """
    taken = sorted(used, key=lambda part: part.start)
    for place in places:
        start = place.start
        inside = (part for part in taken if part.start in place)
        for part in (*inside, range(place.stop, place.stop)):
            free = range(start, min(part.start, start + amount))
            if free:
                yield free
            amount -= len(free)
            start = part.stop


def _word(count: Count) -> str:
    return {"mem": "memory", "gpus": "GPUs"}.get(count.name, count.name)


def _lack(count: Count, held: int, amount: int) -> str:
    """Return that units are held, and how many a run needs where that isn't plain.

    >>> _lack(Count("licences", "limit-licences", 2), 2, 1)
    'licences: 2 of 2 held'
    >>> _lack(Count("mem", "mem", 65536, is_size=True), 61440, 8192)
    'memory: 60G of 64G held, and a run needs 8G'
    """
    text = size if count.is_size else str
    more = "" if held >= count.most else f", and a run needs {text(amount)}"
    return f"{_word(count)}: {text(held)} of {text(count.most)} held{more}"


def size(mebibytes: int) -> str:
    """Return a size of memory as people write it, no more than it is.

    >>> size(65536), size(1600), size(3 << 20)
    ('64G', '1.5G', '3T')
    """
    for power, unit in ((2, "T"), (1, "G")):
        if mebibytes >= 1024**power:
            return f"{mebibytes * 10 // 1024**power / 10:g}{unit}"
    return f"{mebibytes}M"


def of_machine(limits: Mapping[str, Limit], gpus: Sequence[str]) -> list[Count]:
    """Return what is counted here: cores and memory, by machine and cgroup, and what LIMITS says.

    A core stands for itself, so that launches with other cores, by their affinity, don't share.
    GPUs are leased, not counted, but of launches for the same ones PRIORITY is first. In turn it is
    not: what one waits for, another process may have for days.
    """
    file = f"gpus-{crc32(repr(sorted(gpus)).encode())}"
    line = [Count("gpus", file, _UNITS.stop, in_turn=False)]
    own = tuple(range(core, core + 1) for core in sorted(os.sched_getaffinity(0)))
    return [
        *(line if gpus else ()),
        Count("cpus", "cpus", len(own), own),
        *(Count("cpus", f"cpus-{group.id}", group.most) for group in core_groups()),
        Count("mem", "mem", whole_memory(), is_size=True),
        *(Count("mem", f"mem-{group.id}", group.most, is_size=True) for group in memory_groups()),
        *(
            Count(name, f"limit-{name}", limit.most, is_size=limit.is_size)
            for name, limit in limits.items()
        ),
    ]


def amounts(need: Needs) -> tuple[tuple[str, int], ...]:
    """Return what a run of these needs takes of what is counted, besides GPUs.

    >>> amounts(Needs(cpus=4, mem=0))
    (('cpus', 4), ('mem', -1))
    """
    memory = ALL if need.mem == 0 else need.mem
    counted = (("cpus", need.cpus), ("mem", memory))
    named = ((licence.name, licence.amount) for licence in need.licences)
    return tuple((name, amount) for name, amount in (*counted, *named) if amount)
