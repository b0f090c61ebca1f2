"""Growth: the cost of one run in a sweep of ten, and in ever larger ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import OURS, timed
from benchmarks.turns import Case, Cost, Job

_EPOCHS = 100


def jobs(full: bool) -> Iterator[Job]:
    """Yield a job for each command, whose cases are the sizes."""
    sizes = (10, 100, 1_000, 10_000) if full else (10, 100, 1_000)
    ways = {
        "runx -n": (_plan, projects.sweep),
        "runx -i": (_launch, _project),
        "runx --resume": (_resume, _results),
        "sumx": (_sumx, _results),
        "runx status": (_status, _results),
    }
    for command, (measure, fill) in ways.items():
        yield Job(
            "growth",
            f"`{command}`: what each of so many runs costs",
            "no row more than 1.3 x the one above",
            [_case(runs, measure) for runs in sizes],
            rounds=3,
            prepare=lambda ground, fill=fill: _fill_all(ground, sizes, fill),  # type: ignore[misc]
        )


def _case(runs: int, measure: Callable[[Path, Path], Cost]) -> Case:
    def each(ground: Path, empty: Path) -> Cost:
        cost = measure(ground / str(runs), empty)
        return cost._replace(seconds=cost.seconds / runs, cpu=cost.cpu / runs)

    return Case(f"{runs:,} runs", each)


def _fill_all(ground: Path, sizes: tuple[int, ...], fill: Callable[[Path, int, str], None]) -> None:
    for runs in sizes:
        (ground / str(runs)).mkdir()
        fill(ground / str(runs), runs, "true")


def _project(folder: Path, runs: int, cmd: str) -> None:
    projects.code(folder, 50, 10_000)
    projects.sweep(folder, runs, cmd)


def _results(folder: Path, runs: int, cmd: str) -> None:
    projects.sweep(folder, runs, cmd)
    projects.results(folder / "logs", runs, _EPOCHS)


def _plan(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "sweep.yml", "-i", "-n"), ground, OURS)


def _launch(ground: Path, empty: Path) -> Cost:
    project = shutil.copytree(ground, empty / "project")
    projects.sweep(project, int(ground.name), "true")
    return timed(OURS.entry("runx", "sweep.yml", "-i", "-j", "2"), project, OURS)


def _resume(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "sweep.yml", "-i", "--resume"), ground, OURS)


def _sumx(ground: Path, empty: Path) -> Cost:
    shutil.rmtree(ground / "logs" / "sweep" / ".runx")
    (ground / "logs" / "sweep" / ".runx").mkdir()
    return timed(OURS.entry("sumx", "sweep", "--sortwith", "acc"), ground, OURS)


def _status(ground: Path, empty: Path) -> Cost:
    return timed(OURS.entry("runx", "status", "sweep"), ground, OURS)
