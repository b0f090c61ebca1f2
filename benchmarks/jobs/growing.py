"""Growth: what a run costs in a sweep of ten, and in ever larger ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import OURS, timed
from benchmarks.turns import Case, Cost, Job

_EPOCHS = 100


def jobs(full: bool) -> Iterator[Job]:
    """Give a job for each command, whose cases are the sizes."""
    sizes = (10, 100, 1_000, 10_000) if full else (10, 100, 1_000)
    ways = {
        "runx -n": (_planned, projects.sweep),
        "runx -i": (_launched, _project),
        "runx --resume": (_resumed, _results),
        "sumx": (_summed, _results),
        "runx status": (_told, _results),
    }
    for command, (go, fill) in ways.items():
        yield Job(
            "growth",
            f"`{command}`: what each of so many runs costs",
            "no row more than 1.3 x the one above",
            [_case(runs, go) for runs in sizes],
            rounds=3,
            prepare=lambda ground, fill=fill: _filled(ground, sizes, fill),  # type: ignore[misc]
        )


def _case(runs: int, go: Callable[[Path, Path], Cost]) -> Case:
    def each(ground: Path, empty: Path) -> Cost:
        cost = go(ground / str(runs), empty)
        return cost._replace(seconds=cost.seconds / runs, cpu=cost.cpu / runs)

    return Case(f"{runs:,} runs", each)


def _filled(ground: Path, sizes: tuple[int, ...], fill: Callable[[Path, int, str], None]) -> None:
    for runs in sizes:
        (ground / str(runs)).mkdir()
        fill(ground / str(runs), runs, "true")


def _project(folder: Path, runs: int, cmd: str) -> None:
    projects.code(folder, 50, 10_000)
    projects.sweep(folder, runs, cmd)


def _results(folder: Path, runs: int, cmd: str) -> None:
    projects.sweep(folder, runs, cmd)
    projects.results(folder / "logs", runs, _EPOCHS)


def _planned(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "sweep.yml", "-i", "-n"), ground, OURS)


def _launched(ground: Path, empty: Path) -> Cost:
    project = shutil.copytree(ground, empty / "project")
    projects.sweep(project, int(ground.name), "true")
    return timed(OURS.entry("runx", "sweep.yml", "-i", "-j", "2"), project, OURS)


def _resumed(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "sweep.yml", "-i", "--resume"), ground, OURS)


def _summed(ground: Path, empty: Path) -> Cost:
    shutil.rmtree(ground / "logs" / "sweep" / ".runx")
    (ground / "logs" / "sweep" / ".runx").mkdir()
    return timed(OURS.entry("sumx", "sweep", "--sortwith", "acc"), ground, OURS)


def _told(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "status", "sweep"), ground, OURS)
