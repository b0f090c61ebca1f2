"""Reading runs back: a table of what they measured, and of how they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, PEERS, has, help_of, timed
from benchmarks.turns import Case, Cost, Job

_SUMX = ("sweep", "--logroot", "logs", "--sortwith", "acc")


def jobs(full: bool) -> Iterator[Job]:
    """Give the jobs of reading runs back."""
    for runs in (100, 1_000, 10_000) if full else (100, 1_000):
        yield Job(
            "read",
            f"`sumx` and `runx status`, {runs:,} runs of 100 epochs",
            "at most 2.5 x reading the bytes, under 200 MB; nothing changed: 2.5 x stat",
            list(_cases()),
            runs,
            5,
            lambda ground, runs=runs: _fill(ground, runs),  # type: ignore[misc]
        )


def _fill(ground: Path, runs: int) -> None:
    projects.results(ground / "logs", runs, 100)
    projects.sweep(ground, 1, "true")


def _cases() -> Iterator[Case]:
    yield Case("read the bytes", lambda ground, _: _floor("read", ground))
    yield Case("stat the files", lambda ground, _: _floor("stat", ground))
    yield Case("parse and print in plain Python", lambda ground, _: _floor("parse", ground))
    yield Case("**sumx**", _ours)
    if "status" in help_of():
        yield Case("**runx status**", _status)
    if has(PEERS, "runx"):
        yield Case("original sumx", _original)


def _floor(work: str, ground: Path) -> Cost:
    return timed(BARE.script("floors", "read", work, ground / "logs" / "sweep"), ground)


def _ours(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("sumx", *_SUMX), ground, OURS)


def _status(ground: Path, empty: Path) -> Cost:
    words = OURS.entry("runx", "status", "sweep", "--logroot", "logs")
    return timed(words, ground, OURS, statuses=(0, 1))


def _original(ground: Path, empty: Path) -> Cost:
    return timed(PEERS.entry("sumx", "sweep", "--sortwith", "acc"), ground, PEERS)
