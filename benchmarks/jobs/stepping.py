"""A sweep of three steps to a scheduler: planned, staged and submitted, each step in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import OURS, Failed, timed
from benchmarks.turns import Case, Cost, Job

STEPS = """\
STEPS:
  train: {CMD: "true {args} LOGDIR", RESOURCES: {time: 8h}}
  eval: {CMD: "true LOGDIR", AFTER: train, RESOURCES: {time: 1h}}
  test: {CMD: "true LOGDIR", AFTER: eval, RESOURCES: {time: 1h}}
"""
SETTINGS = """\
LOGROOT: {logroot}
FARM: slurm
CODE_STAGING: link
slurm: {{RESOURCES: {{mem: 1G}}}}
"""
COMMANDS = {
    "sbatch": 'echo "$*" >>"${0%/*}/calls"; wc -l <"${0%/*}/calls"',
    "scontrol": "echo 'MaxArraySize = 1000001'",
    "squeue": "true",
    "scancel": "true",
}
"""A Slurm of which nothing is measured but how often it is called."""


def jobs(full: bool) -> Iterator[Job]:
    """Yield the job of submitting steps, beside as many runs of one command."""
    runs = 10_000 if full else 1_000
    yield Job(
        "steps",
        f"Plan, stage and submit {runs:,} runs of three steps: three calls of sbatch",
        "at most 3 x as many runs of one command, in one call",
        [
            Case("**runx**, one command", lambda _, empty: submit(empty, runs, 1)),
            Case("**runx**, three steps", lambda _, empty: submit(empty, runs, 3)),
        ],
        runs,
        3,
        keep=True,
    )


def submit(folder: Path, runs: int, calls: int) -> Cost:
    """Launch a sweep of so many runs, of three steps or of one command, and return the cost.

    Raises:
        Failed: sbatch was called more often, or less.
    """
    projects.sweep(folder, runs, "true")
    (folder / ".runx").write_text(SETTINGS.format(logroot=folder / "logs"))
    sweep = folder / "sweep.yml"
    if calls > 1:
        sweep.write_text(STEPS + sweep.read_text().partition("\n")[2])
    (folder / "bin").mkdir()
    for name, text in COMMANDS.items():
        (folder / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / "bin" / name).chmod(0o755)
    path = f"PATH={folder}/bin:{os.environ['PATH']}"
    cost = timed(["env", path, *OURS.entry("runx", "sweep.yml")], folder, OURS)
    called = (folder / "bin" / "calls").read_text().count("\n")
    if called != calls:
        raise Failed(f"{runs} runs were submitted in {called} calls of sbatch, not in {calls}")
    return cost
