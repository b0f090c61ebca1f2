"""Steps of runs: each done once, none too early, whoever is killed and whoever else launches."""

import os
import random
import re
import time

import pytest
from pipelines import RUNS, SCRIPT, STEPS, Pipeline
from sweeps import wait_until

SEED = os.environ["RUNX_SEED"]
LONG = bool(os.environ.get("RUNX_LONG"))


@pytest.fixture
def pipeline(tmp_path, installed):
    pipeline = Pipeline(tmp_path / "project", installed)
    yield pipeline
    pipeline.clean()


def finish(pipeline: Pipeline) -> None:
    """Bring a sweep to its end by --resume, as often as its faults and orphans need it."""
    for _ in range(8):
        process = pipeline.start("-i", "-j", "3", "--resume")
        output = pipeline.ended(process)
        if "starting nothing" in output and process.returncode == 0:
            return
    pytest.fail(f"it comes to no end: {output}")


def test_each_step_is_done_once_and_in_its_order(pipeline):
    output = pipeline.runx("-i", "-j", "3")
    assert "11 steps done" in output
    pipeline.check_done_once()
    assert "4 done: starting nothing" in pipeline.runx("-i", "--resume")


def test_a_run_is_finished_before_the_next_is_begun(pipeline):
    pipeline.runx("-i")
    begun = [(step, key) for event, step, key in pipeline.lines() if event == "begin"]
    chains = [("train", run) for run in RUNS]
    places = [begun.index(chain) for chain in chains]
    assert [begun[place + 1] for place in places] == [
        ("eval", run) for _, run in map(begun.__getitem__, places)
    ]


@pytest.mark.parametrize("launcher", range(6 if LONG else 2))
def test_launchers_and_steps_killed_at_random(pipeline, launcher):
    draw = random.Random(f"{SEED} {launcher}")
    for step, key in draw.sample(
        [("tokens", "a"), *(("train", r) for r in RUNS), *(("eval", r) for r in RUNS)], 3
    ):
        pipeline.fails(step, key, draw.choice(["exit", "kill"]), draw.randint(1, 2))
    for _ in range(draw.randint(2, 4)):
        launchers = [pipeline.start("-i", "-j", "2", "--resume") for _ in range(draw.randint(1, 2))]
        time.sleep(draw.uniform(0.3, 3))
        for process in draw.sample(launchers, draw.randint(1, len(launchers))):
            process.kill()
            process.wait()
        if draw.random() < 0.5:
            for process in launchers:
                process.wait(120)
    finish(pipeline)
    pipeline.check_done_once()


@pytest.mark.parametrize("chunk", range(4 if LONG else 2))
def test_a_launcher_killed_at_any_step_of_its_work(pipeline, chunk, installed, tmp_path):
    draw = random.Random(f"{SEED} {chunk} steps")
    (tmp_path / "count").mkdir()
    counted = Pipeline(tmp_path / "count/project", installed)
    output = counted.runx("-i", "-j", "3", **counted.faulty(0))
    steps = int(re.search(r"steps: (\d+)", output)[1])
    for _ in range(2):
        pipeline.runx(
            "-i", "-j", "3", "--resume", status=None, **pipeline.faulty(draw.randint(1, steps))
        )
    finish(pipeline)
    pipeline.check_done_once()


def test_two_launchers_share_what_is_shared(pipeline, tmp_path):
    one = pipeline.start("-i", "-j", "2", "--resume")
    other = pipeline.start("-i", "-j", "2", "--resume")
    assert "error" not in pipeline.ended(one) + pipeline.ended(other)
    finish(pipeline)
    pipeline.check_done_once()


@pytest.mark.parametrize("draws", range(4 if LONG else 1))
def test_of_three_launchers_that_share_steps_any_is_killed_and_another_comes(pipeline, draws):
    draw = random.Random(f"{SEED} {draws} three")
    launch = ("-i", "-j", "2", "--resume")
    launchers = [pipeline.start(*launch) for _ in range(3)]
    for _ in range(4):
        time.sleep(draw.uniform(0.2, 1))
        place = draw.randrange(3)
        launchers[place].kill()
        launchers[place].wait()
        launchers[place] = pipeline.start(*launch)
    outputs = [pipeline.ended(launcher) for launcher in launchers]
    assert [launcher.returncode for launcher in launchers] == [0, 0, 0], outputs
    finish(pipeline)
    pipeline.check_done_once()
    assert all(pipeline.lines().count(("begin", *step)) == 1 for step in STEPS), "begun twice"


def test_what_a_failed_step_blocks_is_told_and_started_after_it_was_mended(pipeline):
    pipeline.fails("train", "a0")
    output = pipeline.runx("-i", "-j", "3", status=1)
    assert "1 eval blocked by failed train" in output
    assert "1 gather blocked by failed train" in output
    finish(pipeline)
    pipeline.check_done_once()
    assert pipeline.lines().count(("begin", "train", "a1")) == 1


def test_a_failed_shared_step_blocks_the_runs_that_share_it_alone(pipeline):
    pipeline.fails("tokens", "b")
    output = pipeline.runx("-i", "-j", "3", status=1)
    assert "2 trains blocked by failed tokens" in output
    assert "2 evals blocked by failed tokens" in output
    ends = [line for line in pipeline.lines() if line[:2] == ("end", "eval")]
    assert sorted(ends) == [("end", "eval", "a0"), ("end", "eval", "a1")]
    finish(pipeline)
    pipeline.check_done_once()


def test_a_step_whose_launcher_died_goes_on_and_what_follows_waits_for_it(pipeline):
    waits = 'while [ "$1" = train ] && ! [ -e "$FAULTS/go" ]; do sleep 0.1; done\n'
    pipeline.write("step.sh", SCRIPT.replace("sleep 0.$((RANDOM % 3))\n", waits))
    launcher = pipeline.start("-i", "-j", "4")
    wait_until(lambda: ("begin", "train", "a0") in pipeline.lines())
    launcher.kill()
    launcher.wait()
    again = pipeline.start("-i", "-j", "4", "--resume")
    wait_until(lambda: "goes on" in pipeline.said(again))
    (pipeline.faults / "go").touch()
    pipeline.ended(again)
    assert again.returncode == 0
    pipeline.check_done_once()
