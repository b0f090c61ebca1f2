"""Saving a model that is the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import OURS, PEERS, Python, has, self_timed
from benchmarks.turns import Case, Cost, Job

TIMES = 3


def jobs(full: bool) -> Iterator[Job]:
    """Yield the one job of saving, where there is torch."""
    cases = [
        _case(name, python, way)
        for name, python, way in (
            ("torch.save to a new name", OURS, "floor"),
            ("**runx**", OURS, "save"),
            ("original", PEERS, "save"),
        )
        if has(python, "torch") and has(python, "runx")
    ]
    if cases:
        title, target = "`save_model` of 100 MB, the best so far", "at most 1.1 x, one file's disk"
        yield Job("save", title, target, cases, TIMES, 7 if full else 3)


def _case(name: str, python: Python, way: str) -> Case:
    def measure(ground: Path, empty: Path) -> Cost:
        return self_timed(python.script("inside", "save", way, empty, 100, TIMES), empty, python)

    return Case(name, measure)
