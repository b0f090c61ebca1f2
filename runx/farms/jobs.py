"""Jobs grouped into arrays: of equal needs, and not longer than the site takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, JobSpec, Words
from runx.farms.resources import Needs, needs

MANY = 20
"""From how many runs on they are one array, where nobody says otherwise."""


def job_arrays(
    jobs: Sequence[JobSpec],
    farm: Farm,
    farm_type: FarmType,
    folder: Path,
    largest: int,
    after: Words = (),
) -> list[JobArray]:
    """Group the jobs of a launch into what is submitted at once, in the order of its runs.

    ``folder`` is where the launch keeps the files of its jobs, ``largest`` the most jobs of one
    array, ``after`` ids of jobs to wait for. Raises SettingsError for what the farm can't do.
    """
    _check(farm, farm_type, after)
    many = farm_type.arrays and farm.array is not False and (farm.array or len(jobs) >= MANY)
    groups = _alike(jobs, farm_type, largest if many else 1)
    most = farm.max_parallel or len(groups)
    if len(groups) > most and not farm_type.waits:
        raise SettingsError(
            f"MAX_PARALLEL: these are {len(groups)} jobs, and those of TYPE {farm.type} can't wait"
            f" for each other; {'say ARRAY: true, or ' if farm_type.arrays else ''}leave it out"
        )
    throttled = bool(many and farm.max_parallel)
    shares = parallel_shares(most, len(groups)) if throttled else [None] * len(groups)
    launch = folder.parent.name
    return [
        JobArray(
            name=f"{some[0].experiment}_{launch}.{number}" if many else some[0].name,
            launch=launch,
            number=number,
            folder=folder,
            home=some[0].dir.path.parent,
            jobs=some,
            is_array=bool(many) and len(some) >= farm_type.smallest,
            needs=need,
            parallel=shares[number],
            after=after,
            follows=number - most if number >= most else None,
        )
        for number, (need, some) in enumerate(groups)
    ]


def _check(farm: Farm, farm_type: FarmType, after: Words) -> None:
    if farm.array and not farm_type.arrays:
        raise SettingsError(f"ARRAY: a farm of TYPE {farm.type} has no arrays; leave it out")
    if farm.max_parallel and not farm_type.throttles:
        raise SettingsError(
            f"MAX_PARALLEL: a farm of TYPE {farm.type} can't limit it; leave it out"
        )
    if after and farm_type.waits != "done":
        raise SettingsError(f"--after: jobs of TYPE {farm.type} can't wait for others")


def _alike(
    jobs: Sequence[JobSpec], farm_type: FarmType, largest: int
) -> list[tuple[Needs, tuple[JobSpec, ...]]]:
    """Put jobs of equal needs together, in pieces of at most ``largest``."""
    alike: dict[Needs, list[JobSpec]] = {}
    for job in jobs:
        need = needs(job.resources) if farm_type.needs else Needs()
        alike.setdefault(need, []).append(job)
    return [
        (need, tuple(some[at : at + largest]))
        for need, some in alike.items()
        for at in range(0, len(some), largest)
    ]


def pieces(array: JobArray, largest: int) -> list[JobArray]:
    """Cut an array that turned out too large; its pieces get names and files of their own."""
    return [
        replace(
            array,
            name=f"{array.name}-{at}",
            # Above the number of any other array, of which there is at most one for each run.
            number=(array.number + 1) * 1_000_000 + at,
            jobs=array.jobs[at : at + largest],
        )
        for at in range(0, len(array.jobs), largest)
    ]


def parallel_shares(most: int, count: int) -> list[int]:
    """Share out among arrays how many runs may go on at a time; where they are more, each gets 1.

    >>> parallel_shares(8, 3), parallel_shares(2, 3)
    ([3, 3, 2], [1, 1, 1])
    """
    lanes = min(most, count) or 1
    return [most // lanes + (at % lanes < most % lanes) for at in range(count)]
