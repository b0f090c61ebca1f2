"""Which runs are submitted together: arrays of equal needs, not longer than the site takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runx.cmdline.resources import Needs, needs
from runx.errors import SettingsError
from runx.farms import Errand, Kind
from runx.farms.kind import Batch
from runx.plans.experiment import Farm

MANY = 20
"""From how many runs on they are one array, where nobody says otherwise."""


class About(NamedTuple):
    """What stands for a launch in the names and files of its jobs."""

    experiment: str
    launch: str
    folder: Path
    home: Path
    after: tuple[str, ...] = ()


def batches(
    errands: Sequence[Errand], farm: Farm, kind: Kind, largest: int, about: About
) -> list[Batch]:
    """Cut a launch into what is submitted at once, in the order of its runs."""
    _check(farm, kind, about)
    array = kind.arrays and farm.array is not False and (farm.array or len(errands) >= MANY)
    groups = list(_groups(errands, kind, largest if array else 1))
    if farm.max_parallel and len(groups) > farm.max_parallel and not kind.waits:
        raise SettingsError(
            f"MAX_PARALLEL: these are {len(groups)} jobs, and those of TYPE {farm.type} can't wait"
            f" for each other; {'say ARRAY: true, or leave' if kind.arrays else 'leave'} it out"
        )
    shares = parallel_shares(farm.max_parallel, [len(some) for _, some in groups])
    return [
        Batch(
            name=_name(about, number, some) if len(some) > 1 or array else some[0].name,
            launch=about.launch,
            number=number,
            folder=about.folder,
            home=about.home,
            errands=tuple(some),
            array=bool(array) and len(some) >= kind.smallest,
            needs=need,
            parallel=share if array else None,
            after=about.after,
        )
        for number, ((need, some), share) in enumerate(zip(groups, shares, strict=True))
    ]


def _check(farm: Farm, kind: Kind, about: About) -> None:
    if farm.array and not kind.arrays:
        raise SettingsError(f"ARRAY: a farm of TYPE {farm.type} has no arrays; leave it out")
    if farm.max_parallel and not kind.throttles:
        raise SettingsError(
            f"MAX_PARALLEL: a farm of TYPE {farm.type} can't limit it; leave it out"
        )
    if about.after and kind.waits != "done":
        raise SettingsError(f"--after: jobs of TYPE {farm.type} can't wait for others")


def _name(about: About, number: int, errands: Sequence[Errand]) -> str:
    return f"{about.experiment}_{about.launch}.{number}"


def _groups(
    errands: Sequence[Errand], kind: Kind, largest: int
) -> Iterator[tuple[Needs, list[Errand]]]:
    """Put runs of equal needs together, in pieces that are not too large."""
    alike: dict[Needs, list[Errand]] = {}
    for errand in errands:
        need = needs(errand.resources) if kind.needs else Needs()
        alike.setdefault(need, []).append(errand)
    for need, some in alike.items():
        for at in range(0, len(some), largest):
            yield need, some[at : at + largest]


def pieces(batch: Batch, largest: int) -> list[Batch]:
    """Cut a batch that turned out too large; its pieces get names and files of their own."""
    starts = range(0, len(batch.errands), largest)
    return [
        replace(
            batch,
            name=f"{batch.name}-{at}",
            # Above the number of any other batch, of which there is at most one for each run.
            number=(batch.number + 1) * 1_000_000 + at,
            errands=batch.errands[at : at + largest],
        )
        for at in starts
    ]


def parallel_shares(most: int | None, sizes: Sequence[int]) -> list[int | None]:
    """Share out how many runs may go on at a time; where there are more batches, each gets 1.

    >>> parallel_shares(8, [1000, 1000, 500]), parallel_shares(2, [5, 5, 5])
    ([3, 3, 2], [1, 1, 1])
    """
    if most is None:
        return [None for _ in sizes]
    lanes = min(most, len(sizes)) or 1
    return [most // lanes + (at % lanes < most % lanes) for at in range(len(sizes))]


def lane(batch: Batch, most: int | None, count: int) -> int | None:
    """Say behind which earlier batch one waits, so that never more than ``most`` runs go on.

    There are as many lanes as batches may go on at a time; each waits for the one before in its.
    """
    if most is None or count <= most:
        return None
    before = batch.number - most
    return before if before >= 0 else None
