"""Launching: runs of `true`, each with its own working tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, OURS, PEERS, has, peer, timed, with_disk
from benchmarks.turns import Case, Cost, Job


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of launching."""
    for runs in (10, 100, 1_000, 10_000) if full else (10, 100):
        yield Job(
            "launch",
            f"Stage and start {runs:,} runs of `true`, two at once, 50 files of 10 kB",
            "at most 2 x, at most 10 inodes a run more than the floor, flat from 100 to 10,000",
            list(_cases(runs, most=100 if full else 10)),
            runs,
            2 if runs > 1_000 else 5 if full else 3,
            lambda ground: projects.code(ground, 50, 10_000),
            keep=True,
        )
    yield Job(
        "tree",
        f"The same for {100 if full else 10} runs, 3,000 files of 20 kB, the code frozen before",
        "at most 1.5 x",
        list(_trees(100 if full else 10)),
        100 if full else 10,
        3,
        lambda ground: projects.code(ground, 3_000, 20_000),
        keep=True,
    )


def _cases(runs: int, most: int) -> Iterator[Case]:
    for way, name in (("alone", "spawn"), ("bash", "spawn by bash")):
        yield Case(f"one snapshot, hard links, {name}", partial(_floor, way, runs))
    shell = f"seq {runs} | xargs -P2 -I@ sh -c 'cp -al {{}} logs/@; cd logs/@; true'"
    yield Case("xargs -P2 cp -al", lambda ground, empty: _shell(shell, ground, empty))
    yield Case("**runx -i**", lambda ground, empty: _ours(ground, empty, runs, before=False))
    if has(PEERS, "runx") and runs <= 100:
        yield Case("original -i", lambda ground, empty: _original(ground, empty, runs))
    yield from _peers(runs, most)


def _peers(runs: int, most: int) -> Iterator[Case]:
    """Yield the peers that are installed; of these Guild alone stages code."""
    seeds = ",".join(map(str, range(runs)))
    guild = str(Path(PEERS.program).with_name("guild"))
    calls = {
        "hydra": ("hydra -m, no staging", PEERS.words("app.py", "-m", f"+seed={seeds}")),
        "mlxp": ("MLXP, no staging", PEERS.words("app.py", f"seed={seeds}")),
        "experimaestro": ("Experimaestro, no staging", PEERS.words("app.py", str(runs))),
        "guild": ("Guild", [guild, "run", "nothing", f"seed=[{seeds}]", "-y"]),
        "submitit": ("submitit, local, no staging", PEERS.words("app.py", str(runs))),
    }
    for module, (name, words) in calls.items():
        if has(PEERS, module) and runs <= most:
            yield _peer(module, name, words)


def _peer(module: str, name: str, words: list[str]) -> Case:
    return Case(name, lambda _, empty: timed(words, peer(module, empty), PEERS))


def _trees(runs: int) -> Iterator[Case]:
    shell = f"seq {runs} | xargs -I@ sh -c 'cp -al {{}} logs/@; cd logs/@; true'"
    yield Case("cp -al for each run", lambda ground, empty: _shell(shell, ground, empty))
    yield Case("**runx -i**", lambda ground, empty: _ours(ground, empty, runs, before=True))


def _floor(way: str, runs: int, ground: Path, empty: Path) -> Cost:
    words = BARE.script("floors", "launch", way, ground, empty / "logs", runs)
    return with_disk(timed(words, empty), empty / "logs")


def _shell(command: str, ground: Path, empty: Path) -> Cost:
    (empty / "logs").mkdir()
    command = command.replace("{}", str(ground))
    return with_disk(timed(["sh", "-c", command], empty), empty / "logs")


def _ours(ground: Path, empty: Path, runs: int, before: bool) -> Cost:
    project = empty / "project"
    shutil.copytree(ground, project)
    projects.sweep(project, 1, "true")
    if before:
        timed(OURS.entry("runx", "sweep.yml", "-i"), project, OURS)
    projects.sweep(project, runs, "true")
    cost = timed(OURS.entry("runx", "sweep.yml", "-i", "-j", "2"), project, OURS)
    return with_disk(cost, project / "logs")


def _original(ground: Path, empty: Path, runs: int) -> Cost:
    project = empty / "project"
    shutil.copytree(ground, project)
    projects.sweep(project, runs, "true")
    settings = (project / ".runx").read_text().replace(f"{project}/logs", f"{empty}/logs")
    (project / ".runx").write_text(settings)
    return with_disk(timed(PEERS.entry("runx", "sweep.yml", "-i"), project, PEERS), empty / "logs")
