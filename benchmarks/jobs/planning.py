"""Planning: every run of a sweep, named and printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, PEERS, Python, has, timed
from benchmarks.turns import Case, Cost, Job


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of planning."""
    sizes = (10, 1_000, 10_000, 100_000) if full else (1_000, 100_000)
    for runs in sizes:
        target = {1_000: "at most 4 x", 100_000: "at most 3 x, linear, under 400 MB"}.get(runs, "")
        yield Job(
            "plan",
            f"Plan and print {runs:,} runs",
            target,
            list(_cases()),
            runs,
            11 if full else 5,
            lambda ground, runs=runs: projects.sweep(ground, runs, "python train.py"),  # type: ignore[misc]
        )


def _cases() -> Iterator[Case]:
    yield Case("itertools.product and print", lambda ground, _: _floor("text", ground))
    yield Case("the same, the sweep read by yaml", lambda ground, _: _floor("yaml", ground))
    yield _entry("**runx -n**", OURS)
    if has(PEERS, "runx"):
        yield _entry("original -n", PEERS)


def _floor(way: str, ground: Path) -> Cost:
    words = BARE.script("floors", "plan", way, ground / "sweep.yml", ground / "logs")
    return timed(words, ground)


def _entry(name: str, python: Python) -> Case:
    words = python.entry("runx", "sweep.yml", "-n", "-i")
    return Case(name, lambda ground, _: timed(words, ground, python))
