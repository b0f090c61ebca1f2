"""Launching: runs of `true`, each with a working tree of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, PEERS, has, help_of, left, timed
from benchmarks.turns import Case, Cost, Job


def jobs(full: bool) -> Iterator[Job]:
    """Give the jobs of launching."""
    for runs in (10, 100, 1_000, 10_000) if full else (10, 100):
        yield Job(
            "launch",
            f"Stage and start {runs:,} runs of `true`, two at once, 50 files of 10 kB",
            "at most 2 x, at most 10 inodes a run more than the floor, flat from 100 to 10,000",
            list(_cases(runs, most=100 if full else 10)),
            runs,
            2 if runs > 1_000 else 5 if full else 3,
            lambda ground: projects.code(ground, 50, 10_000),
            kept=True,
        )
    yield Job(
        "tree",
        f"The same for {100 if full else 10} runs, 3,000 files of 20 kB, the code frozen before",
        "at most 1.5 x",
        list(_trees(100 if full else 10)),
        100 if full else 10,
        3,
        lambda ground: projects.code(ground, 3_000, 20_000),
        kept=True,
    )


def _cases(runs: int, most: int) -> Iterator[Case]:
    for way, name in (("alone", "spawn"), ("bash", "spawn by bash")):
        yield Case(f"one snapshot, hard links, {name}", partial(_floor, way, runs))
    shell = f"seq {runs} | xargs -P2 -I@ sh -c 'cp -al {{}} logs/@; cd logs/@; true'"
    yield Case("xargs -P2 cp -al", lambda ground, empty: _shell(shell, ground, empty))
    yield Case("**runx -i**", lambda ground, empty: _ours(ground, empty, runs, before=False))
    if has(PEERS, "runx") and runs <= 100:
        yield Case("original -i", lambda ground, empty: _original(ground, empty, runs))
    if has(PEERS, "hydra") and runs <= most:
        yield Case("hydra -m, no staging", lambda ground, empty: _hydra(empty, runs))
    if has(PEERS, "submitit") and runs <= 10:
        yield Case("submitit, local, no staging", lambda ground, empty: _submitit(empty, runs))


def _trees(runs: int) -> Iterator[Case]:
    shell = f"seq {runs} | xargs -I@ sh -c 'cp -al {{}} logs/@; cd logs/@; true'"
    yield Case("cp -al for each run", lambda ground, empty: _shell(shell, ground, empty))
    yield Case("**runx -i**", lambda ground, empty: _ours(ground, empty, runs, before=True))


def _floor(way: str, runs: int, ground: Path, empty: Path) -> Cost:
    words = BARE.script("floors", "launch", way, ground, empty / "logs", runs)
    return left(timed(words, empty), empty / "logs")


def _shell(command: str, ground: Path, empty: Path) -> Cost:
    (empty / "logs").mkdir()
    command = command.replace("{}", str(ground))
    return left(timed(["sh", "-c", command], empty), empty / "logs")


def _ours(ground: Path, empty: Path, runs: int, before: bool) -> Cost:
    project = empty / "project"
    shutil.copytree(ground, project)
    projects.sweep(project, 1, "true")
    if before:
        timed(OURS.entry("runx", "sweep.yml", "-i"), project, OURS)
    projects.sweep(project, runs, "true")
    cost = timed(OURS.entry("runx", "sweep.yml", "-i", *_two_at_once()), project, OURS)
    return left(cost, project / "logs")


def _two_at_once() -> tuple[str, ...]:
    return ("-j", "2") if "--jobs" in help_of("launch") else ()


def _original(ground: Path, empty: Path, runs: int) -> Cost:
    project = empty / "project"
    shutil.copytree(ground, project)
    projects.sweep(project, runs, "true")
    settings = (project / ".runx").read_text().replace(f"{project}/logs", f"{empty}/logs")
    (project / ".runx").write_text(settings)
    return left(timed(PEERS.entry("runx", "sweep.yml", "-i"), project, PEERS), empty / "logs")


def _hydra(empty: Path, runs: int) -> Cost:
    program = "import hydra; hydra.main(version_base=None)(lambda config: None)()"
    (empty / "app.py").write_text(program)
    values = ",".join(str(value) for value in range(runs))
    return timed(PEERS.words("app.py", "-m", f"+seed={values}"), empty, PEERS)


def _submitit(empty: Path, runs: int) -> Cost:
    program = f"""
import submitit, subprocess
executor = submitit.LocalExecutor("logs")
pending = []
for number in range({runs}):
    pending.append(executor.submit(subprocess.call, ["true"]))
    if len(pending) == 2:
        pending.pop(0).result()
[job.result() for job in pending]
"""
    (empty / "app.py").write_text(program)
    return timed(PEERS.words("app.py"), empty, PEERS)
