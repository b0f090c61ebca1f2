"""Ranks under a real srun: of a training script's tasks, and of several launchers in one step."""

import json
import subprocess

import pytest

pytestmark = pytest.mark.slurm
FARM = "FARM: local\n"
TRAIN = """
import os, sys, time
from runx.logx import logx
logx.initialize()
logx.metric("val", {"loss": 1}, 0)
print("rank", os.environ.get("SLURM_PROCID"), "rank0" if logx.rank0 else "other", flush=True)
time.sleep(0 if logx.rank0 else 3)  # srun starts them in no order: one that ends first warns
"""


def test_each_of_three_launchers_in_one_step_has_its_runs_recorded(site):
    (site.path / "train.py").write_text(TRAIN)
    for number in range(3):
        text = "CMD: python train.py\nHPARAMS: {lr: [1, 2]}\n"
        (site.path / f"sweep{number}.yml").write_text(text)
    words = ["srun", "-n", "3", "bash", "-c", "runx sweep$SLURM_PROCID.yml -i"]
    subprocess.run(words, cwd=site.path, env=site.environment, check=True, timeout=120)
    runs = [run.parent for run in (site.path / "logs").glob("sweep*/*/run.json")]
    assert len(runs) == 6
    for run in runs:
        assert json.loads((run / "hparams.json").read_text())["lr"] in (1, 2)
        assert "val" in (run / "metrics.csv").read_text()
        assert "rank None rank0" in (run / "output.log").read_text()


def test_three_launchers_in_one_step_share_a_sweep(site):
    (site.path / "train.py").write_text("import time; time.sleep(1); print('once')")
    (site.path / "sweep.yml").write_text("CMD: python train.py\nHPARAMS: {lr: {range: [0, 9]}}\n")
    words = ["srun", "-n", "3", "-l", "runx", "sweep.yml", "-i", "--resume"]
    done = subprocess.run(
        words, cwd=site.path, env=site.environment, capture_output=True, text=True, timeout=120
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    runs = [run.parent for run in (site.path / "logs").glob("sweep/*/run.json")]
    assert [(run / "output.log").read_text() for run in runs] == ["once\n"] * 9, said
    assert said.count("taken by others") == 3, said


def test_the_tasks_of_a_run_in_an_allocation_are_its_ranks(site):
    (site.path / "train.py").write_text(TRAIN)
    (site.path / "sweep.yml").write_text(
        "CMD: python train.py\nWRAP: srun -n 3\nHPARAMS: {lr: 1}\n"
    )
    words = ["salloc", "-n", "3", "runx", "sweep.yml", "-i"]
    subprocess.run(words, cwd=site.path, env=site.environment, check=True, timeout=120)
    [run] = [run.parent for run in (site.path / "logs").glob("sweep/*/run.json")]
    told = sorted(line for line in (run / "output.log").read_text().splitlines() if "rank" in line)
    assert told == ["rank 0 rank0", "rank 1 other", "rank 2 other"]
    assert (run / "metrics.csv").read_text().count("val") == 1
