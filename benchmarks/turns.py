"""Measurement in turns, A B C A B C: what disturbs the machine disturbs neighbours alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias


class Cost(NamedTuple):
    """The cost of one execution of a job; zero where it was not measured.

    ``seconds`` of waiting, ``cpu`` seconds of all its processes, ``memory`` of the largest in MB,
    ``inodes`` and ``disk`` (MB) of the files that it made.
    """

    seconds: float
    cpu: float = 0.0
    memory: float = 0.0
    inodes: float = 0.0
    disk: float = 0.0


Measure: TypeAlias = Callable[[Path, Path], Cost]
"""Does a job once, with the prepared files of the first folder, in the second, which is empty."""


class Case(NamedTuple):
    """One way to do a job."""

    name: str
    measure: Measure


@dataclass(frozen=True)
class Job:
    """Work that runx does, and the ways to do it; the first is the floor.

    ``count`` is the number of runs (or calls) of one execution: the table has the cost of each.
    ``prepare`` fills the ``ground``, the folder that all cases read. With ``keep`` the files of
    each execution are kept until the job is done: ext4 skips the inodes of files removed in the
    last minutes, which makes each new file up to twenty times dearer.
    """

    name: str
    title: str
    target: str
    cases: Sequence[Case]
    count: int = 1
    rounds: int = 5
    prepare: Callable[[Path], None] = lambda ground: None
    keep: bool = False


class Row(NamedTuple):
    """The measurements of one case: the median of each field, and the ratios to the floor."""

    name: str
    cost: Cost
    ratio: float
    least: float
    most: float
    cpu_ratio: float


def measure(job: Job, scratch: Path) -> list[Row]:
    """Measure each case of a job in turn, round after round, in folders that are removed again."""
    ground, work = scratch / "ground", scratch / "work"
    ground.mkdir()
    work.mkdir()
    try:
        job.prepare(ground)
        rounds = [
            [
                _measure_once(case, ground, work / f"{number}-{place}", job.keep)
                for place, case in enumerate(job.cases)
            ]
            for number in range(job.rounds)
        ]
    finally:
        shutil.rmtree(ground)
        shutil.rmtree(work)
    return rows([case.name for case in job.cases], rounds)


def _measure_once(case: Case, ground: Path, empty: Path, keep: bool) -> Cost:
    empty.mkdir()
    try:
        return case.measure(ground, empty)
    finally:
        if not keep:
            shutil.rmtree(empty)


def rows(names: Iterable[str], rounds: Sequence[Sequence[Cost]]) -> list[Row]:
    """Return a row for each name; each cost is compared with the floor of the same round.

    >>> [row.ratio for row in rows(["floor", "ours"], [[Cost(1), Cost(3)], [Cost(2), Cost(4)]])]
    [1.0, 2.5]
    """
    result = []
    for place, name in enumerate(names):
        costs = [costs[place] for costs in rounds]
        ratios = [costs[place].seconds / costs[0].seconds for costs in rounds]
        cpu = [costs[place].cpu / costs[0].cpu for costs in rounds if costs[0].cpu]
        result.append(
            Row(
                name,
                Cost(*(median(field) for field in zip(*costs, strict=True))),
                median(ratios),
                min(ratios),
                max(ratios),
                median(cpu) if cpu else 0.0,
            )
        )
    return result
