"""``runx top``: a thousand runs opened in a terminal, and a hundred that run followed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, environment, self_timed
from benchmarks.turns import Case, Cost, Job

_LIMIT = 0.05
"""The most of a core that following a hundred runs may take."""


def jobs(full: bool) -> Iterator[Job]:
    """Yield a job of opening, the first time and again, and one of following."""
    for runs in (1_000, 10_000) if full else (1_000,):
        yield Job(
            "top",
            f"`runx top` opens {runs:,} runs of 100 epochs, in a terminal of 80 x 24",
            "within a second of what textual alone takes" if runs == 1_000 else "",
            list(_opening(runs)),
            rounds=5 if full else 3,
            prepare=lambda ground, runs=runs: projects.results(ground / "logs", runs, 100),  # type: ignore[misc]
        )
    yield Job(
        "top",
        "`runx top` follows 100 runs that log an epoch every 5 s: CPU time of a minute",
        "below 5% of a core",
        [
            Case("5% of a core", lambda ground, empty: Cost(60 * _LIMIT)),
            Case("**runx top**", _follow),
        ],
        rounds=3 if full else 1,
        prepare=lambda ground: projects.results(ground / "logs", 100, 100),
    )


def _opening(runs: int) -> Iterator[Case]:
    empty = BARE.script("inside", "empty")
    yield Case(
        "textual, a line of text", lambda ground, _: _in_terminal("nothing here", 0, empty, ground)
    )
    yield Case("**runx top**, the first look", lambda ground, _: _open(ground, runs, is_first=True))
    yield Case("**runx top** again", lambda ground, _: _open(ground, runs, is_first=False))


def _open(ground: Path, runs: int, is_first: bool) -> Cost:
    if is_first:
        (ground / "logs" / "sweep" / ".runx" / "index.json").unlink(missing_ok=True)
    return _in_terminal(f"sweep: {runs} runs", 0, _words(), ground)


def _words() -> list[str]:
    return OURS.entry("runx", "top", "sweep", "--logroot", "logs")


def _follow(ground: Path, empty: Path) -> Cost:
    words = OURS.script("inside", "live", ground / "logs" / "sweep")
    with subprocess.Popen(
        words, env=environment(OURS, ground), stdout=subprocess.PIPE, text=True
    ) as training:
        assert training.stdout is not None
        training.stdout.readline()
        try:
            return _in_terminal("100 running", 60, _words(), ground)
        finally:
            training.kill()


def _in_terminal(text: str, seconds: float, words: list[str], ground: Path) -> Cost:
    return self_timed(BARE.script("inside", "top", text, seconds, *words), ground, OURS)
