"""Jobs grouped into arrays: those of equal needs, at most as many as the site takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Words
from runx.farms.resources import Needs, needs

ARRAY_FROM = 20
"""From how many runs on they are one array, where ARRAY is not set."""


def job_arrays(
    jobs: Sequence[JobSpec],
    farm: Farm,
    farm_type: FarmType,
    folder: Path,
    largest: int,
    after: Words = (),
) -> list[JobArray]:
    """Return the jobs of a launch as arrays, or one by one, in the order of its runs.

    ``folder`` is where the launch keeps the files of its jobs, ``largest`` the most jobs of one
    array, ``after`` ids of jobs to wait for. Raises SettingsError for what the farm can't do.
    """
    arrays = bool(
        farm_type.arrays and farm.array is not False and (farm.array or len(jobs) >= ARRAY_FROM)
    )
    groups = _groups(jobs, farm, farm_type, largest if arrays else 1)
    _check(farm, farm_type, len(groups), after)
    parallel = farm.max_parallel or len(groups)
    throttled = arrays and farm.max_parallel
    shares = parallel_shares(parallel, len(groups)) if throttled else [None] * len(groups)
    launch = folder.parent.name
    return [
        JobArray(
            name=f"{group[0].experiment}_{launch}.{number}" if arrays else _name(group[0]),
            launch=launch,
            number=number,
            folder=folder,
            experiment_dir=group[0].dir.path.parent,
            jobs=group,
            is_array=arrays and len(group) >= farm_type.smallest,
            needs=need,
            max_parallel=shares[number],
            after=after,
            follows=number - parallel if number >= parallel else None,
        )
        for number, (need, group) in enumerate(groups)
    ]


def _name(job: JobSpec) -> str:
    """Return the name of a run's job, by which no job of an earlier attempt is taken for it."""
    return job.name if job.attempt == 1 else f"{job.name}.{job.attempt}"


def _check(farm: Farm, farm_type: FarmType, count: int, after: Words) -> None:
    """Raise SettingsError for settings of a farm that its type can't follow, of ``count`` jobs."""
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
    if after and farm_type.waits != "done":
        raise SettingsError(f"--after: jobs of TYPE {farm.type} can't wait for others")


def _groups(
    jobs: Sequence[JobSpec], farm: Farm, farm_type: FarmType, largest: int
) -> list[tuple[Needs, tuple[JobSpec, ...]]]:
    """Return jobs of equal needs together, in groups of at most ``largest``."""
    alike: dict[Needs, list[JobSpec]] = {}
    for job in jobs:
        need = needs(job.resources, farm.limits) if farm_type.portable else Needs()
        if need.mem == 0 and not farm_type.whole_memory:
            raise SettingsError("RESOURCES: mem: 0, all of a node's, is Slurm's; say how much")
        _check_licences(job, need, farm, farm_type)
        if need.gpu_mem is not None:
            need = _with_gpu_memory(need, farm, farm_type)
        alike.setdefault(need, []).append(job)
    return [
        (need, tuple(group[start : start + largest]))
        for need, group in alike.items()
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
        name=f"{array.name}-{number}",
        # Above the number of any other array, of which there is at most one for each run.
        number=(array.number + 1) * 1_000_000 + number,
        jobs=jobs,
        is_array=len(jobs) >= smallest,
    )
