"""Jobs grouped into arrays: those of equal needs, at most as many as the site takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Wait
from runx.farms.resources import Needs, needs
from runx.farms.together import chained, packed
from runx.farms.together import check as check_together
from runx.farms.waits import Place, Places, are_parted, unpaired, waiting_groups, waves
from runx.farms.waits import check as check_waits
from runx.rundir.paths import RunDir

ARRAY_FROM = 20
"""From how many runs on they are one array, where ARRAY is not set."""


def job_arrays(
    jobs: Sequence[JobSpec],
    farm: Farm,
    farm_type: FarmType,
    folder: Path,
    largest: int,
    after: tuple[Wait, ...] = (),
    places: dict[RunDir, Place] | None = None,
) -> Iterator[JobArray]:
    """Yield the jobs of a launch as arrays, or one by one, in the order of its runs.

    ``folder`` is where the launch keeps the files of its jobs, ``largest`` the most jobs of one
    array, ``after`` what all wait for. ``places`` has what jobs of earlier launches execute; who
    submits an array puts its place there before the next is made, which may wait for it.
    Raises SettingsError for what the farm can't do.
    """
    places = {} if places is None else places
    together = chained(jobs, places)
    check_waits(together, farm, farm_type)
    check_together(together, farm, farm_type)
    remaining, number = waves(together), 0
    while remaining:
        wave = remaining.pop(0)
        is_whole = bool(farm_type.pairs) or not are_parted(wave, chain.from_iterable(remaining))
        arrays = _arrays(wave, farm, farm_type, folder, largest, after, places, number, is_whole)
        number += len(arrays)
        yield from arrays


def _arrays(
    jobs: Sequence[JobSpec],
    farm: Farm,
    farm_type: FarmType,
    folder: Path,
    largest: int,
    after: tuple[Wait, ...],
    places: Places,
    first: int,
    is_whole: bool,
) -> list[JobArray]:
    """Return jobs that don't wait for each other as arrays, numbered from ``first`` on."""
    packs = _packs(jobs, farm, farm_type)
    arrays = bool(
        farm_type.arrays
        and farm.array is not False
        and (farm.array or len(packs) >= ARRAY_FROM)
        and is_whole
    )
    if farm.array and not is_whole:
        raise SettingsError(
            f"ARRAY: jobs of TYPE {farm.type} can't wait for some of an array; leave it out"
        )
    groups = _groups(packs, places, farm_type, largest if arrays else 1)
    parallel = (farm.max_parallel or 0) // farm.runs_per_job or len(groups)
    _check(farm, farm_type, len(groups), after)
    throttled = arrays and farm.max_parallel
    shares = parallel_shares(parallel, len(groups)) if throttled else [None] * len(groups)
    launch = folder.parent.name
    return [
        JobArray(
            name=_name(group, launch, first + number, arrays),
            launch=launch,
            number=first + number,
            folder=folder,
            experiment_dir=group[0].dir.path.parents[group[0].run.count("/")],
            jobs=group,
            is_array=arrays and len(group) >= farm_type.smallest,
            needs=need,
            max_parallel=shares[number],
            waits=(*after, *waits),
            follows=first + number - parallel if number >= parallel else None,
        )
        for number, (need, waits, group) in enumerate(groups)
    ]


def _name(group: Sequence[JobSpec], launch: str, number: int, in_array: bool) -> str:
    """Return the name of a run's job, by which no job of an earlier attempt is taken for it."""
    job = group[0]
    if in_array or job.beside:
        return f"{job.experiment}_{launch}.{number}"
    return job.name if job.attempt == 1 else f"{job.name}.{job.attempt}"


def farm_of(array: JobArray, farm: Farm) -> Farm:
    """Return a farm with how the step is requeued that the jobs of an array execute."""
    step = array.jobs[0].step
    return farm._replace(requeue=step.requeue) if step and step.requeue else farm


def _check(farm: Farm, farm_type: FarmType, count: int, after: tuple[Wait, ...]) -> None:
    """Raise SettingsError for settings of a farm that its type can't follow, of ``count`` jobs."""
    if farm.max_parallel and farm.max_parallel < farm.runs_per_job:
        raise SettingsError(
            f"MAX_PARALLEL: {farm.max_parallel} runs at a time are less than one job has by"
            f" RUNS_PER_JOB: {farm.runs_per_job}"
        )
    if farm.array and not farm_type.arrays:
        raise SettingsError(f"ARRAY: a farm of TYPE {farm.type} has no arrays; leave it out")
    if farm.max_parallel and not farm_type.throttles:
        raise SettingsError(
            f"MAX_PARALLEL: a farm of TYPE {farm.type} can't limit it; leave it out"
        )
    if farm.max_parallel and count > farm.max_parallel and not farm_type.waits:
        raise SettingsError(
            f"MAX_PARALLEL: these are {count} jobs, and those of TYPE {farm.type} can't wait"
            f" for each other; {'say ARRAY: true, or ' if farm_type.arrays else ''}leave it out"
        )
    if any(farm_type.waits not in ("done", wait.when) for wait in after):
        raise SettingsError(f"--after: jobs of TYPE {farm.type} can't wait for others")


def _packs(jobs: Sequence[JobSpec], farm: Farm, farm_type: FarmType) -> list[tuple[Needs, JobSpec]]:
    """Return jobs and their needs, those of equal needs together; of several runs, if asked for."""
    alike: dict[tuple[Needs, str], list[JobSpec]] = {}
    for job in jobs:
        need = needs(job.resources, farm.limits) if farm_type.portable else Needs()
        if need.mem == 0 and not farm_type.whole_memory:
            raise SettingsError("RESOURCES: mem: 0, all of a node's, is Slurm's; say how much")
        _check_licences(job, need, farm, farm_type)
        if need.gpu_mem is not None:
            need = _with_gpu_memory(need, farm, farm_type)
        alike.setdefault((need, job.step.name if job.step else ""), []).append(job)
    size = farm.runs_per_job
    return [pack for (need, _), members in alike.items() for pack in packed(members, need, size)]


def _groups(
    packs: Sequence[tuple[Needs, JobSpec]], places: Places, farm_type: FarmType, largest: int
) -> list[tuple[Needs, tuple[Wait, ...], tuple[JobSpec, ...]]]:
    """Return jobs that need and wait for the same together, in groups of at most ``largest``."""
    alike: dict[tuple[Needs, str], list[JobSpec]] = {}
    for need, job in packs:
        alike.setdefault((need, job.step.name if job.step else ""), []).append(job)
    return [
        (need, waits, tuple(group[start : start + largest]))
        for (need, _), members in alike.items()
        for waits, group in waiting_groups(members, places, farm_type)
        for start in range(0, len(group), largest)
    ]


def _check_licences(job: JobSpec, need: Needs, farm: Farm, farm_type: FarmType) -> None:
    """Raise SettingsError for what LIMITS names, which the farm would not count."""
    named = need.licences if farm_type.portable else needs(job.resources, farm.limits).licences
    for licence in named if farm.limits else ():
        if not farm_type.licences or (licence.is_size and farm_type.licences != "sizes"):
            what = "sizes of it" if farm_type.licences else "it"
            raise SettingsError(
                f"RESOURCES: {licence.name}: a farm of TYPE {farm.type} can't count {what}, as"
                f" {farm.limits[licence.name].origin}: LIMITS says; leave one of them out"
            )


def _with_gpu_memory(need: Needs, farm: Farm, farm_type: FarmType) -> Needs:
    """Return what a job asks a farm for, without the memory of GPUs where its type has no word.

    Then its CAPACITY must say that its GPUs have as much: a SettingsError where it doesn't.
    """
    if need.gpus is None:
        raise SettingsError("RESOURCES: gpu_mem: of how many GPUs? say gpus, too")
    if farm_type.gpu_memory and need.gpus:
        return need
    known = farm.capacity and farm.capacity.gpu_mem
    if need.gpus and (known is None or need.gpu_mem is None or known < need.gpu_mem):
        raise SettingsError(
            f"RESOURCES: gpu_mem: jobs of TYPE {farm.type} can't ask for it; write what its GPUs"
            f" have into the section of {farm.name}, as CAPACITY: {{gpu_mem: 80G}}, or choose nodes"
            " in the scheduler's own words"
        )
    return need._replace(gpu_mem=None)


def parallel_shares(parallel: int, count: int) -> list[int]:
    """Return how many jobs of each of ``count`` arrays may run at a time, at least one of each.

    >>> parallel_shares(8, 3), parallel_shares(2, 3)
    ([3, 3, 2], [1, 1, 1])
    """
    lanes = min(parallel, count) or 1
    return [parallel // lanes + (lane % lanes < parallel % lanes) for lane in range(count)]


def piece_of(array: JobArray, start: int, size: int, number: int, smallest: int) -> JobArray:
    """Return the piece of an array that a site found too large, with a name and files of its own.

    ``number`` counts the pieces that are tried, at least 1: what was refused is tried in smaller
    ones, and is not to be taken for them. One of fewer than ``smallest`` jobs is no array.
    """
    jobs = array.jobs[start : start + size]
    return replace(
        array,
        waits=unpaired(array.waits) if size < len(array.jobs) else array.waits,
        name=f"{array.name}-{number}",
        # Above the number of any other array, of which there is at most one for each run.
        number=(array.number + 1) * 1_000_000 + number,
        jobs=jobs,
        is_array=len(jobs) >= smallest,
    )
