"""SMOKE with STEPS: the steps of the first run are tried in turn, and leave nothing behind."""

import pytest
from pipelines import SCRIPT, Pipeline
from sweeps import state_of

TWO = """\
STEPS:
  tokens: {CMD: "bash step.sh tokens all", PER: sweep}
  train: {CMD: "bash step.sh train {n}", AFTER: tokens}
  eval: {CMD: "bash step.sh eval {n}", AFTER: train}
  gather: {CMD: "bash step.sh gather {eval.dirs}", AFTER: eval, PER: sweep}
HPARAMS: {n: [0, 1]}
"""
TRIED = "[[ $RUNX_LOGDIR == */.smoke/* ]]"


@pytest.fixture
def pipeline(tmp_path, installed):
    pipeline = Pipeline(tmp_path / "project", installed, TWO)
    yield pipeline
    pipeline.clean()


def begun(pipeline):
    return [f"{step} {key}" for event, step, key, *_ in pipeline.lines() if event == "begin"]


def test_a_step_that_fails_is_named_and_nothing_starts(pipeline):
    pipeline.write("step.sh", SCRIPT + '[ "$1" != eval ] || { echo KeyError: lr; exit 3; }\n')
    said = pipeline.runx("-i", "--smoke", "60s", status=1)
    assert "trying the first run here, 1 min each: tokens, train, eval\n" in said
    assert "eval of the first run failed" in said.splitlines()[-1]
    assert "KeyError: lr; nothing was started" in said.splitlines()[-1]
    assert begun(pipeline) == ["tokens all", "train 0", "eval 0"]
    assert not pipeline.root.exists()


def test_a_step_of_which_another_failed_is_not_what_is_blamed(pipeline):
    pipeline.write("step.sh", SCRIPT + '[ "$1" != tokens ] || exit 3\n')
    said = pipeline.runx("-i", "--smoke", "60s", status=1)
    assert "tokens of the first run failed" in said.splitlines()[-1]
    assert begun(pipeline) == ["tokens all"]


def test_all_are_tried_where_each_is_done_in_time(pipeline):
    said = pipeline.runx("-i", "--smoke", "60s")
    assert "it was done after" in said
    assert begun(pipeline)[:4] == ["tokens all", "train 0", "eval 0", "tokens all"]
    assert {state_of(step) for step in pipeline.steps()} == {"done"}
    assert not (pipeline.root / ".smoke").exists()


def test_one_that_goes_on_well_is_ended_and_then_all_start(pipeline):
    pipeline.write("step.sh", SCRIPT + f'{TRIED} && [ "$1" = train ] && sleep 60; true\n')
    said = pipeline.runx("-i", "--smoke", "2s")
    assert "it ran well for 2 s" in said
    assert begun(pipeline)[:3] == ["tokens all", "train 0", "tokens all"]
    assert {state_of(step) for step in pipeline.steps()} == {"done"}


def test_shared_steps_that_are_done_are_used_as_they_are(pipeline):
    pipeline.write("step.sh", SCRIPT + '[ "$1" != train ]\n')
    pipeline.runx("-i", status=1)
    lines = len(begun(pipeline))
    pipeline.write("step.sh", SCRIPT + f'{TRIED} && [ "$1" = eval ] && exit 3; true\n')
    said = pipeline.runx("-i", "--resume", "--smoke", "60s", status=1)
    assert "trying the first run here, 1 min each: train, eval\n" in said
    assert begun(pipeline)[lines:] == ["train 0", "eval 0"]
    assert not (pipeline.root / ".smoke").exists()
    shared = next(step for step in pipeline.steps() if step.path.name.startswith("tokens"))
    assert state_of(shared) == "done"


def test_what_follows_steps_that_are_done_is_not_tried_which_is_said(pipeline):
    pipeline.write("step.sh", SCRIPT + '[ "$1" != eval ]\n')
    pipeline.runx("-i", status=1)
    pipeline.write("step.sh", SCRIPT)
    said = pipeline.runx("-i", "--resume", "--smoke", "60s")
    assert "note: SMOKE: nothing is tried: what starts follows steps that are done" in said
    assert "trying" not in said
    assert {state_of(step) for step in pipeline.steps()} == {"done"}


def test_steps_with_a_farm_of_their_own_are_tried_where_smoke_says(pipeline):
    pipeline.write(".runx", f"LOGROOT: {pipeline.root}\nSMOKE: 60s\nq: {{TYPE: slurm}}\n")
    pipeline.write(
        "sweep.yml",
        TWO.replace("{eval.dirs}", "x")
        .replace("AFTER: eval, ", "")
        .replace("train}", "train, FARM: q}"),
    )
    pipeline.write("step.sh", SCRIPT + '[ "$1" != eval ]\n')
    stand = pipeline.path / "bin"
    stand.mkdir()
    (stand / "sbatch").write_text("#!/bin/sh\necho submitted >> sbatch.log; exit 1\n")
    (stand / "sbatch").chmod(0o755)
    path = f"{stand}:{pipeline.environment['PATH']}"
    said = pipeline.runx(status=1, PATH=path)
    assert "eval of the first run failed" in said.splitlines()[-1]
    assert not (pipeline.path / "sbatch.log").exists()
