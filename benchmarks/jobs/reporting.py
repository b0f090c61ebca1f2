"""The report: the page of an experiment, written and opened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, PEERS, has, self_timed, timed
from benchmarks.turns import Case, Cost, Job

_SIZES = ((300, 200), (1_000, 500))


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of a report: of the usual size, and of a large one."""
    for runs, epochs in _SIZES if full else _SIZES[:1]:
        yield Job(
            "report",
            f"The HTML report of {runs:,} runs of {epochs} epochs",
            "built in under 2 s, first paint in Chromium under 1 s" if runs == 300 else "",
            list(_cases()),
            rounds=7 if full else 3,
            prepare=lambda ground, r=runs, e=epochs: _fill(ground, r, e),  # type: ignore[misc]
        )


def _cases() -> Iterator[Case]:
    yield Case("read the bytes", lambda ground, _: _floor(ground))
    yield Case("**sumx --html**", lambda ground, empty: _build(ground, empty / "page.html"))
    if has(PEERS, "selenium") and shutil.which("chromedriver"):
        yield Case("Chromium, to its first paint", _paint)


def _fill(ground: Path, runs: int, epochs: int) -> None:
    projects.results(ground / "logs", runs, epochs)
    _build(ground, ground / "page.html")


def _floor(ground: Path) -> Cost:
    return timed(BARE.script("floors", "read", "read", ground / "logs" / "sweep"), ground)


def _build(ground: Path, page: Path) -> Cost:
    (ground / "logs" / "sweep" / ".runx" / "index.json").unlink(missing_ok=True)
    words = OURS.entry("sumx", "sweep", "--logroot", "logs", "--html", str(page))
    return timed(words, ground, OURS)


def _paint(ground: Path, empty: Path) -> Cost:
    return self_timed(PEERS.script("inside", "paint", ground / "page.html"), empty, PEERS)
