"""Submission of runs to a real Slurm: the time in the scheduler's own commands."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import projects
from benchmarks.commands import OURS, ROOT, Failed, environment
from benchmarks.turns import Case, Cost, Job

COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol")
SETTINGS = """\
LOGROOT: {logroot}
FARM: slurm
slurm:
  RESOURCES: {{mem: 10M, time: 10m, hold: true}}
"""
TIMED = """\
#!/bin/bash
began=$EPOCHREALTIME
{program} "$@"
status=$?
echo "$began $EPOCHREALTIME" >>{calls}
exit $status
"""


def jobs(full: bool) -> Iterator[Job]:
    """Yield the job of submitting, where there is a Slurm to be started."""
    slurm = _slurm()
    if reason := slurm.missing():
        print(f"submitting to Slurm is left out: {reason}", file=sys.stderr)
        return
    runs = 1_000 if full else 100
    yield Job(
        "submit",
        f"Submit {runs:,} staged runs to a real Slurm: time in the scheduler's commands",
        "at most 1.5 x the one array, at least 50 times less than one sbatch for each",
        [
            Case("one `sbatch --array`", lambda ground, empty: _array(empty, runs)),
            Case("**runx**", lambda ground, empty: _ours(empty, runs)),
            Case("one sbatch for each", lambda ground, empty: _each(empty, runs)),
        ],
        runs,
        5 if full else 3,
    )


def _slurm() -> Any:
    """Return the module of the tests' own cluster."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    try:
        return import_module("throwaway_slurm")
    finally:
        sys.path.pop(0)


@contextmanager
def _cluster(folder: Path, runs: int) -> Iterator[Mapping[str, str]]:
    """Start a cluster, and return an environment whose commands log their times.

    Raises:
        Failed: The cluster does not have all runs at the end.
    """
    slurm = _slurm()
    cluster = slurm.Slurm(largest=1_001)
    try:
        cluster.start()
        (folder / "bin").mkdir()
        for name in COMMANDS:
            text = TIMED.format(program=f"/usr/bin/{name}", calls=shlex.quote(f"{folder}/calls"))
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        path = f"{folder}/bin:{slurm.PATH}"
        conf = cluster.environment["SLURM_CONF"]
        yield {**environment(OURS, folder), "PATH": path, "SLURM_CONF": conf}
        if (count := cluster.call("squeue", "-h", "-r").count("\n")) != runs:
            raise Failed(f"Slurm has {count} of {runs} jobs")
    finally:
        cluster.stop()


def _run(words: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{shlex.join(words)}: exit status {done.returncode}: {done.stderr[-2000:]}")


def _cost(folder: Path, times: int = 1) -> Cost:
    lines = [line.split() for line in (folder / "calls").read_text().splitlines()]
    return Cost(sum(float(ended) - float(began) for began, ended in lines) / times)


TIMES = 4
"""The number of calls in one measurement of a single call, which takes milliseconds."""
_BARE = ("sbatch", "--parsable", "--hold", "--mem=10M", "--time=10", "--output=/dev/null")


def _array(empty: Path, runs: int) -> Cost:
    with _cluster(empty, runs * TIMES) as environment:
        for _ in range(TIMES):
            _run([*_BARE, f"--array=0-{runs - 1}", "--wrap", "true"], empty, environment)
    return _cost(empty, TIMES)


def _each(empty: Path, runs: int) -> Cost:
    with _cluster(empty, runs) as environment:
        for _ in range(runs):
            _run([*_BARE, "--wrap", "true"], empty, environment)
    return _cost(empty)


def _ours(empty: Path, runs: int) -> Cost:
    projects.sweep(empty, runs, "true")
    (empty / ".runx").write_text(SETTINGS.format(logroot=empty / "logs"))
    with _cluster(empty, runs * TIMES) as environment:
        for nth in range(TIMES):
            words = OURS.entry("runx", "sweep.yml", "--exp_name", f"sweep{nth}")
            _run(words, empty, environment)
    return _cost(empty, TIMES)
