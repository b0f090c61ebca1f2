"""The farm that has what a run needs, and which of the alternatives of RESOURCES it has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runx.farms.resources import Needs, needs
from runx.farms.together import times
from runx.sweeps.scalars import duration_text
from runx.sweeps.values import Hparam

_COUNTED = ("nodes", "gpus", "gpu_mem", "cpus", "mem", "time")


class Candidate(NamedTuple):
    """A farm, the most that it has for one run, and the alternatives of what the run needs there.

    ``capacity`` is None where nobody says it; what it doesn't name is no limit. A job has
    ``together`` such runs side by side.
    """

    farm: str
    capacity: Needs | None
    alternatives: tuple[tuple[Hparam, ...], ...]
    together: int = 1


class Fit(NamedTuple):
    """A candidate and an alternative that it has room for, by their indices."""

    candidate: int
    alternative: int


def fits(candidates: Sequence[Candidate]) -> list[Fit]:
    """Return where a run may go, the best first: one alternative after the other, on each farm.

    >>> one, two = (Hparam("gpus", 2, "2"),), (Hparam("cpus", 8, "8"),)
    >>> fits([Candidate("a", Needs(gpus=1), (one, two)), Candidate("b", None, (one, two))])
    [Fit(candidate=1, alternative=0), Fit(candidate=0, alternative=1), \
Fit(candidate=1, alternative=1)]
    """
    most = max((len(each.alternatives) for each in candidates), default=0)
    return [
        Fit(number, alternative)
        for alternative in range(most)
        for number, each in enumerate(candidates)
        if alternative < len(each.alternatives)
        and not lacks(each.alternatives[alternative], each.capacity, each.together)
    ]


def lacks(resources: Sequence[Hparam], capacity: Needs | None, together: int = 1) -> list[str]:
    """Return what a farm has less of than a job of so many runs needs, with both amounts.

    Raises:
        SettingsError: A resource makes no sense.

    >>> lacks([Hparam("gpu", 8, "8"), Hparam("time", "4d", "4d")], Needs(gpus=2, time=259200))
    ['gpus (8 needed, 2 there)', 'time (4 d needed, 3 d there)']
    """
    if capacity is None:
        return []
    need = times(needs(resources), together)
    missing = []
    for name in _COUNTED:
        wanted, there = getattr(need, name), getattr(capacity, name)
        if wanted and there is not None and wanted > there:
            text = _TEXTS.get(name, str)
            several = f" by {together} runs in a job" if together > 1 else ""
            missing.append(f"{name} ({text(wanted)} needed{several}, {text(there)} there)")
    return missing


def _size(mebibytes: int) -> str:
    """Return a size of memory as people write it.

    >>> _size(40960), _size(76294), _size(512)
    ('40G', '74.5G', '512M')
    """
    return f"{mebibytes / 1024:.3g}G" if mebibytes >= 1024 else f"{mebibytes}M"


def gpu_size(mebibytes: int) -> str:
    """Return the memory of a GPU as it is sold.

    >>> gpu_size(76294), gpu_size(22888)
    ('80G', '24G')
    """
    return f"{mebibytes * 1024**2 / 1000**3:.3g}G"


_TEXTS = {"mem": _size, "gpu_mem": gpu_size, "time": duration_text}


def refusals(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return why farms can't have a run, of those that lack something of every alternative.

    >>> refusals([Candidate("a", Needs(gpus=1), ((Hparam("gpus", 2, "2"),),))])
    {'a': 'a lacks gpus (2 needed, 1 there)'}
    """
    lines = {}
    for each in candidates:
        missing = [", ".join(lacks(one, each.capacity, each.together)) for one in each.alternatives]
        if all(missing):
            lines[each.farm] = f"{each.farm} lacks {'; or '.join(dict.fromkeys(missing))}"
    return lines
