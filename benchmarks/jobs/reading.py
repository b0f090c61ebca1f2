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
    yield Case("**sumx**, the first look", lambda ground, _: _ours(_forgotten(ground)))
    yield Case("**sumx**, nothing changed", lambda ground, _: _ours(ground))
    yield Case("**sumx**, one run changed", lambda ground, _: _ours(_changed(ground)))
    if "status" in help_of():
        yield Case("**runx status**, the first look", lambda ground, _: _status(_forgotten(ground)))
        yield Case("**runx status**, nothing changed", lambda ground, _: _status(ground))
    if has(PEERS, "runx"):
        yield Case("original sumx", _original)


def _floor(work: str, ground: Path) -> Cost:
    return timed(BARE.script("floors", "read", work, ground / "logs" / "sweep"), ground)


def _forgotten(ground: Path) -> Path:
    """Take away what earlier looks have left."""
    (ground / "logs" / "sweep" / ".runx" / "index.json").unlink(missing_ok=True)
    return ground


def _changed(ground: Path) -> Path:
    """Have the first run validate once more."""
    first = min((ground / "logs" / "sweep").glob("[a-z]*"))
    with open(first / "metrics.csv", "a") as rows:
        rows.write("val,loss,1,acc,0,epoch,100,timestamp,1770381000\n")
    return ground


def _ours(ground: Path) -> Cost:
    return timed(OURS.entry("sumx", *_SUMX), ground, OURS)


def _status(ground: Path) -> Cost:
    words = OURS.entry("runx", "status", "sweep", "--logroot", "logs")
    return timed(words, ground, OURS, statuses=(0, 1))


def _original(ground: Path, empty: Path) -> Cost:
    return timed(PEERS.entry("sumx", "sweep", "--sortwith", "acc"), ground, PEERS)
