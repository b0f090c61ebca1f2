"""Measuring in turns: A B C A B C, so that what disturbs the machine disturbs neighbours alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias


class Cost(NamedTuple):
    """What one go of a job took; zero where it was not looked at.

    ``seconds`` of waiting, ``cpu`` seconds of all its processes, ``memory`` of the largest in MB,
    ``inodes`` and ``disk`` (MB) of what it left.
    """

    seconds: float
    cpu: float = 0.0
    memory: float = 0.0
    inodes: float = 0.0
    disk: float = 0.0


Go: TypeAlias = Callable[[Path, Path], Cost]
"""Does a job once: reads the job's ground, works in an empty folder, and says what it took."""


class Case(NamedTuple):
    """One way to do a job."""

    name: str
    go: Go


@dataclass(frozen=True)
class Job:
    """Something runx does, and the ways to do it; the first is the floor.

    ``count`` is how many runs (or calls) one go makes: costs are told for each of them.
    ``prepare`` fills the ground that all cases share. What a go leaves is ``kept`` until the job is
    done where many files are made: ext4 looks past the inodes of what was removed in the last
    minutes, which makes each new file up to twenty times dearer for whoever comes next.
    """

    name: str
    title: str
    target: str
    cases: Sequence[Case]
    count: int = 1
    rounds: int = 5
    prepare: Callable[[Path], None] = lambda ground: None
    kept: bool = False


class Row(NamedTuple):
    """A way to do a job as it was measured: each field's median, and the ratios to the floor."""

    name: str
    cost: Cost
    ratio: float
    least: float
    most: float
    cpu_ratio: float


def measured(job: Job, scratch: Path) -> list[Row]:
    """Do each case of a job in turn, round after round, in folders that are removed again."""
    ground, work = scratch / "ground", scratch / "work"
    ground.mkdir()
    work.mkdir()
    try:
        job.prepare(ground)
        rounds = [
            [
                _gone(case, ground, work / f"{number}-{nth}", job.kept)
                for nth, case in enumerate(job.cases)
            ]
            for number in range(job.rounds)
        ]
    finally:
        shutil.rmtree(ground)
        shutil.rmtree(work)
    return rows([case.name for case in job.cases], rounds)


def _gone(case: Case, ground: Path, empty: Path, kept: bool) -> Cost:
    empty.mkdir()
    try:
        return case.go(ground, empty)
    finally:
        if not kept:
            shutil.rmtree(empty)


def rows(names: Iterable[str], rounds: Sequence[Sequence[Cost]]) -> list[Row]:
    """Fold rounds of costs into a row for each name; each cost is compared with its own round's.

    >>> [row.ratio for row in rows(["floor", "ours"], [[Cost(1), Cost(3)], [Cost(2), Cost(4)]])]
    [1.0, 2.5]
    """
    folded = []
    for nth, name in enumerate(names):
        costs = [costs[nth] for costs in rounds]
        ratios = [costs[nth].seconds / costs[0].seconds for costs in rounds]
        cpu = [costs[nth].cpu / costs[0].cpu for costs in rounds if costs[0].cpu]
        folded.append(
            Row(
                name,
                Cost(*(median(field) for field in zip(*costs, strict=True))),
                median(ratios),
                min(ratios),
                max(ratios),
                median(cpu) if cpu else 0.0,
            )
        )
    return folded
