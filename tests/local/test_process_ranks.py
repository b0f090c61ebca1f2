"""Runs here are none of the ranks that their launcher may be."""

import pytest
from project import Project

TRAIN = """
import argparse, os
from runx.logx import logx
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
args = parser.parse_args()
logx.initialize()
logx.metric("val", {"loss": args.lr or 0}, 0)
print("job", os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURM_PROCID"))
"""


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("train.py", TRAIN)
    return project


@pytest.mark.parametrize(
    "outer",
    [
        {"SLURM_JOB_ID": "7", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "3"},
        {"SLURM_JOB_ID": "7", "PMI_RANK": "1", "PMI_SIZE": "3"},
        {"SLURM_JOB_ID": "7", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "3"},
        {"SLURM_JOB_ID": "7", "RANK": "1", "WORLD_SIZE": "3"},
    ],
)
def test_each_of_several_launchers_of_a_step_has_its_runs_recorded(project, outer):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: [1, 2]}\n")
    project.runx("sweep.yml", "-i", **outer)
    for run in project.runs():
        assert "val" in (run / "metrics.csv").read_text()
        assert "job 7 None" in (run / "output.log").read_text()


def test_a_hyperparameter_called_rank_is_no_rank(project):
    project.write(
        "sweep.yml",
        "CMD: python train.py\nARGS: {style: env, prefix: ''}\nHPARAMS: {rank: [1, 8]}\n",
    )
    project.runx("sweep.yml", "-i")
    assert all("val" in (run / "metrics.csv").read_text() for run in project.runs())
