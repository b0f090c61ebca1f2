"""A real Slurm: a sweep of four steps, whatever is killed; each step once, none too early."""

import os
import random

import pytest
from farm_pipelines import FarmPipeline
from pipelines import RUNS
from sites import environment_of

pytestmark = pytest.mark.slurm
SEED = os.environ["RUNX_SEED"]
KINDS = ("launch", "cancel", "kill", "requeue", "order", "restart")
SHORT, LONG = 2, 30


@pytest.fixture
def made(cluster, installed, tmp_path, request):
    draw = random.Random(f"{SEED} {request.node.name} slurm")
    environment = environment_of(installed, cluster.environment)
    pipeline = FarmPipeline(tmp_path / "project", environment, cluster, draw)
    yield pipeline
    cluster.end_jobs()


def play(pipeline: FarmPipeline, kinds: tuple[str, ...], count: int) -> None:
    draw = pipeline.draw
    for step, key in draw.sample([("tokens", "a"), *(("train", run) for run in RUNS)], 2):
        pipeline.fails(step, key, draw.choice(["exit", "kill"]))
    pipeline.play("launch", *draw.choices(kinds, k=count))
    pipeline.finish()
    pipeline.check()


@pytest.mark.parametrize("number", range(SHORT))
def test_launchers_jobs_and_a_controller_killed_at_random(made, number):
    play(made, KINDS, 3)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(LONG))
def test_they_and_nodes_killed_many_times(made, number):
    play(made, (*KINDS, "cut"), 6)
