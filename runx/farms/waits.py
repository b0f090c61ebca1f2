"""What jobs wait for: the jobs of a launch, and of those before it, that execute what comes before.

A scheduler's dependency is a hint: where it can't say what is meant, jobs wait for less, or longer,
and run.sh looks at what it waits for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Wait
from runx.rundir.paths import RunDir
from runx.rundir.steps import When


class Place(NamedTuple):
    """Where an attempt is executed: in the job of that id, the ``number``-th of an array.

    ``array``: the id of the array's first job, ``name`` that of the array. ``size``: how many jobs
    it has; 0 where it may be of an array that an earlier launch has submitted. ``lasts``: the
    attempts after which its job is over.
    """

    id: str
    array: str = ""
    number: int = 0
    size: int = 0
    lasts: tuple[RunDir, ...] = ()
    name: str = ""


Places: TypeAlias = Mapping[RunDir, Place]
NOWHERE: Places = {}
"""Where no job of an earlier launch executes what is waited for."""
_Group: TypeAlias = tuple[tuple[Wait, ...], list[JobSpec]]


def places_of(array: JobArray, ids: Sequence[str], farm_type: FarmType) -> dict[RunDir, Place]:
    """Return where the attempts of an array are executed, given the ids of its jobs, "" unknown."""
    name, size = farm_type.job_name(array), len(ids)
    return {
        member.dir: Place(id, ids[0], index, size, tuple(lane[-1].dir for lane in job.lanes), name)
        for index, (job, id) in enumerate(zip(array.jobs, ids, strict=True))
        for member in job.members
        if id
    }


def unpaired(waits: Sequence[Wait]) -> tuple[Wait, ...]:
    """Return what jobs wait for whose indices are no longer those of what they wait for in pairs.

    >>> unpaired([Wait("7_0", "done", "each")])
    (Wait(id='7_0', when='ended', scope='array', name=''),)
    """
    return tuple(
        Wait(each.id, "ended", "array") if each.scope == "each" else each for each in waits
    )


def waves(jobs: Sequence[JobSpec]) -> list[list[JobSpec]]:
    """Return jobs in groups, each of which waits for groups before it alone."""
    wave_of: dict[RunDir, int] = {}
    found: list[list[JobSpec]] = []
    for job in jobs:
        after = [each.dir for member in job.members for each in member.after]
        wave = max((wave_of[dir] + 1 for dir in after if dir in wave_of), default=0)
        wave_of |= {member.dir: wave for member in job.members}
        if wave == len(found):
            found.append([])
        found[wave].append(job)
    return found


def are_parted(wave: Sequence[JobSpec], later: Iterable[JobSpec]) -> bool:
    """Return whether one of the later jobs waits for some of a group of jobs, and not for all."""
    own = {member.dir: job.dir for job in wave for member in job.members}
    waited = (
        {own[each.dir] for member in job.members for each in member.after if each.dir in own}
        for job in later
    )
    return any(0 < len(jobs) < len(wave) for jobs in waited)


def waiting_groups(jobs: Iterable[JobSpec], places: Places, farm_type: FarmType) -> list[_Group]:
    """Return jobs in groups that wait for the same, and what that is.

    Those that each wait for one job of an array are a group that waits pair by pair, in the order
    of that array, if the type can say so and there are as many.
    """
    paired: dict[tuple[Wait, ...], list[tuple[int, JobSpec]]] = defaultdict(list)
    groups: dict[tuple[Wait, ...], list[JobSpec]] = defaultdict(list)
    sizes = {place.array: place.size for place in places.values()}
    for job in jobs:
        waits, index = _waits(job, places, farm_type)
        if index is None:
            groups[waits].append(job)
        else:
            paired[waits].append((index, job))
    for waits, members in paired.items():
        in_order = sorted(members, key=lambda member: member[0])
        indices = [index for index, _ in in_order]
        arrays = [wait.id for wait in waits if wait.scope == "each"]
        if all(indices == list(range(sizes[array])) for array in arrays):
            groups[waits] = [job for _, job in in_order]
            continue
        for _, job in members:
            groups[_waits(job, places, farm_type, pairs=False)[0]].append(job)
    return list(groups.items())


def _waits(
    job: JobSpec, places: Places, farm_type: FarmType, pairs: bool = True
) -> tuple[tuple[Wait, ...], int | None]:
    """Return what a job waits for, and its index in its array where it waits pair by pair."""
    by_array = _by_array(job, places)
    waits = [
        wait
        for waited in by_array.values()
        for wait in _waits_in(waited, farm_type, not job.beside, pairs)
    ]
    each = {wait.id for wait in waits if wait.scope == "each"}
    indices = {place.number for array in each for place in by_array[array]}
    if len(indices) > 1:
        return _waits(job, places, farm_type, pairs=False)
    return tuple(dict.fromkeys(waits)), next(iter(indices), None)


def _by_array(job: JobSpec, places: Places) -> dict[str, dict[Place, dict[RunDir, When]]]:
    """Return what a job waits for, by array, and by the job that executes it."""
    found: dict[str, dict[Place, dict[RunDir, When]]] = {}
    for each in (each for member in job.members for each in member.after):
        if place := places.get(each.dir):
            found.setdefault(place.array, {}).setdefault(place, {})[each.dir] = each.when
    return found


def _waits_in(
    waited: Mapping[Place, Mapping[RunDir, When]],
    farm_type: FarmType,
    is_alone: bool,
    pairs: bool,
) -> Iterator[Wait]:
    """Yield what a job waits for of one array.

    It waits for an end only, and looks for itself, where its type can't say more; where another
    attempt of either job might fail; and where it executes several itself.
    """
    whens: set[When] = {when for whens in waited.values() for when in whens.values()}
    is_last = all(set(place.lasts) <= whens.keys() for place, whens in waited.items())
    can_tell = farm_type.waits == farm_type.stepwise == "done" and is_alone and is_last
    when: When = "done" if can_tell and whens == {"done"} else "ended"
    first = next(iter(waited))
    if first.size == len(waited):
        yield Wait(first.array, when, "array" if first.size > 1 else "job")
    elif pairs and len(waited) == 1 and first.size > 1 and when in farm_type.pairs:
        yield Wait(first.array, when, "each", first.name)
    elif farm_type.parts:
        yield from (Wait(place.id, when) for place in waited)
    else:
        yield Wait(first.array, "ended", "array")


def check(jobs: Iterable[JobSpec], farm: Farm, farm_type: FarmType) -> None:
    """Raise SettingsError where steps wait for jobs of others, which jobs of a farm can't."""
    can_wait = farm_type.waits and farm_type.stepwise
    for step in (job.step for job in jobs if job.after and not can_wait):
        name = f"{step.origin}: STEPS.{step.name}: " if step else ""
        raise SettingsError(
            f"{name}jobs of TYPE {farm.type} can't wait for others: leave out what it has of"
            " RESOURCES, FARM and REQUEUE, and it runs in the job of the step before"
        )
