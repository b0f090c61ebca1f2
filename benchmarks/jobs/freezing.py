"""Freezing code that has not changed: nothing is read, nothing copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import OURS, self_timed
from benchmarks.turns import Case, Cost, Job


def jobs(full: bool) -> Iterator[Job]:
    """Yield the one job of freezing again."""
    yield Job(
        "freeze",
        "Freeze 3,000 files again that have not changed",
        "at most 3 x",
        [_case("stat of every file", "floor"), _case("**runx**", "again")],
        rounds=11 if full else 5,
        prepare=lambda ground: projects.code(ground, 3_000, 2_000),
    )


def _case(name: str, way: str) -> Case:
    def measure(ground: Path, empty: Path) -> Cost:
        return self_timed(
            OURS.script("inside", "freeze", way, ground, empty / "store"), empty, OURS
        )

    return Case(name, measure)
