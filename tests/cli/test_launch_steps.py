"""Runs with STEPS here: mended and resumed, shared and used again, started by name, stopped."""

import json
import os
import signal

import pytest
from pipelines import SCRIPT, Pipeline
from sweeps import events, state_of, wait_until

TWO = """\
STEPS:
  tokens: {CMD: "bash step.sh tokens all", PER: sweep}
  train: {CMD: "bash step.sh train {n}", AFTER: tokens}
  eval: {CMD: "bash step.sh eval {n}", AFTER: train}
HPARAMS: {n: [0, 1]}
"""


@pytest.fixture
def pipeline(tmp_path, installed):
    pipeline = Pipeline(tmp_path / "project", installed, TWO)
    yield pipeline
    pipeline.clean()


def begun(pipeline, since=0):
    return [f"{step} {key}" for event, step, key in pipeline.lines()[since:] if event == "begin"]


def record(step):
    return json.loads(step.record.read_text())


def step_of(pipeline, number, name):
    return pipeline.run(number).step(name)


def test_a_mended_step_takes_today_s_code_and_what_was_done_stays(pipeline):
    pipeline.write("step.sh", SCRIPT + '[ "$1" != eval ]\n')
    output = pipeline.runx("-i", status=1)
    assert "2 of 5 steps failed" in output
    lines = len(pipeline.lines())
    pipeline.write("step.sh", SCRIPT)
    output = pipeline.runx("-i", "--resume")
    assert "2 failed: starting 2 eval" in output
    assert output.count("2 of them take today's code: step.sh differs from what they were") == 1
    assert output.count("today's code") == 1
    assert begun(pipeline, lines) == ["eval 0", "eval 1"]
    code = record(pipeline.run(0))["code"]
    claim = json.loads(step_of(pipeline, 0, "eval").claim(2).read_text())
    assert claim["code"] == code == record(step_of(pipeline, 0, "eval"))["code"]
    assert json.loads(step_of(pipeline, 0, "train").claim(1).read_text())["code"] != code


def test_another_command_of_a_step_leaves_those_before_done(pipeline):
    pipeline.runx("-i")
    lines = len(pipeline.lines())
    pipeline.write("sweep.yml", TWO.replace("step.sh eval {n}", "step.sh eval2 {n}"))
    assert "2 done: starting 2 eval" in pipeline.runx("-i", "--resume")
    assert begun(pipeline, lines) == ["eval2 0", "eval2 1"]
    assert record(step_of(pipeline, 0, "eval"))["cmd"] == "bash step.sh eval2 {n}"
    assert "starting nothing" in pipeline.runx("-i", "--resume")


def test_a_step_that_was_done_and_fails_with_another_command_says_why(pipeline):
    pipeline.runx("-i")
    pipeline.write("sweep.yml", TWO.replace("bash step.sh eval", "python missing.py"))
    output = pipeline.runx("-i", "--resume", status=1)
    reason = "python: can't open file 'LOGDIR/code/missing.py': [Errno 2] No such file or directory"
    assert f"2 x {reason}" in output


def test_a_step_that_is_added_is_executed_in_the_runs_there_are(pipeline):
    pipeline.runx("-i")
    lines = len(pipeline.lines())
    more = '  plot: {CMD: "bash step.sh plot {n}", AFTER: eval}\nHPARAMS'
    pipeline.write("sweep.yml", TWO.replace("HPARAMS", more))
    pipeline.runx("-i", "--resume")
    assert begun(pipeline, lines) == ["plot 0", "plot 1"]
    assert [each["name"] for each in record(pipeline.run(0))["steps"]][-1] == "plot"


def test_a_named_step_alone_starts_again(pipeline):
    pipeline.runx("-i")
    lines = len(pipeline.lines())
    pipeline.runx("-i", "--step", "train", "--where", "n == 1")
    assert begun(pipeline, lines) == ["train 1"]
    assert "1 planned, 1 done: starting 1 eval" in pipeline.runx("-i", "--resume")
    assert begun(pipeline, lines) == ["train 1", "eval 1"]
    message = pipeline.runx("-i", "--step", "evl", status=2)
    assert "--step evl: there is no such step; did you mean eval?" in message
    message = pipeline.runx("-i", "--no-resume", "--step", "eval", status=2)
    assert "--step goes with --resume" in message


def test_a_shared_step_is_used_again_by_a_later_launch_that_says_what_changed(pipeline):
    pipeline.runx("-i")
    pipeline.write("other.py", "")
    output = pipeline.runx("-i")
    assert "--step tokens makes it anew" in output and "other.py" in output
    assert begun(pipeline).count("tokens all") == 1
    assert begun(pipeline).count("train 0") == 2


def test_what_changed_since_is_said_once_for_all_that_share_a_step(pipeline):
    text = TWO.replace("tokens all", "tokens {n}").replace("PER: sweep", "PER: [n]")
    pipeline.write("sweep.yml", text)
    pipeline.runx("-i")
    pipeline.write("other.py", "")
    output = pipeline.runx("-i")
    assert output.count("used again") == 1
    assert "2 tokens are used again, though other.py changed since; --step tokens makes" in output


def test_the_files_of_code_make_a_shared_step_another(pipeline):
    pipeline.write("tok.py", "1")
    text = TWO.replace("PER: sweep", "PER: sweep, CODE: [tok.py, lib]")
    pipeline.write("sweep.yml", text)
    assert "sweep.yml:2: STEPS.tokens: CODE: lib: there is no such" in pipeline.runx("-i", status=2)
    pipeline.write("lib/a.py", "1")
    pipeline.runx("-i")
    pipeline.write("other.py", "1")
    assert "starting nothing" in pipeline.runx("-i", "--resume")
    pipeline.write("lib/a.py", "2")
    lines = len(pipeline.lines())
    pipeline.runx("-i", "--resume")
    assert begun(pipeline, lines) == ["tokens all", "train 0", "eval 0", "train 1", "eval 1"]


def test_what_gathers_after_failures_gets_all_that_ended(pipeline):
    more = '  report: {CMD: "bash step.sh report all", AFTER: {eval: ended}, PER: sweep}\nHPARAMS'
    pipeline.write("sweep.yml", TWO.replace("HPARAMS", more))
    pipeline.fails("train", "0")
    output = pipeline.runx("-i", "-j", "2", status=1)
    assert "1 eval blocked by failed train" in output
    assert begun(pipeline)[-1] == "report all"
    lines = len(pipeline.lines())
    pipeline.runx("-i", "--resume")
    assert begun(pipeline, lines) == ["train 0", "eval 0", "report all"]


def test_a_step_is_tried_again_before_what_follows(pipeline):
    pipeline.fails("train", "0")
    assert "5 steps done" in pipeline.runx("-i", "--retries", "1")
    assert begun(pipeline) == ["tokens all", "train 0", "train 0", "eval 0", "train 1", "eval 1"]
    assert events(step_of(pipeline, 0, "eval"))[0]["after"] == 2


def test_a_launch_that_is_stopped_goes_on_where_it_was(pipeline):
    pipeline.write("step.sh", SCRIPT.replace("0.$((RANDOM % 3))", "600"))
    launcher = pipeline.start("-i")
    wait_until(lambda: begun(pipeline) == ["tokens all"])
    [tokens] = [step for step in pipeline.steps() if step.path.name.startswith("tokens-")]
    wait_until(lambda: "running" in [each["event"] for each in events(tokens)])
    os.kill(launcher.pid, signal.SIGINT)
    output = pipeline.ended(launcher)
    assert launcher.returncode == 130 and "stopped" in output
    pipeline.write("step.sh", SCRIPT)
    assert "5 steps done" in pipeline.runx("-i", "--resume", "--restage")
    assert {state_of(step) for step in pipeline.steps()} == {"done"}


def test_a_step_in_the_job_of_another_has_its_share(pipeline):
    text = TWO.replace("AFTER: tokens}", "AFTER: tokens, RESOURCES: {cpus: 1, time: 1h}}")
    pipeline.write("sweep.yml", text)
    pipeline.write("step.sh", SCRIPT + 'echo "${RUNX_DEADLINE:+limited}"\n')
    pipeline.runx("-i")
    outputs = [step_of(pipeline, 0, name).output.read_text() for name in ("train", "eval")]
    assert outputs == ["limited\n"] * 2
    [tokens] = [step for step in pipeline.steps() if step.path.name.startswith("tokens-")]
    assert tokens.output.read_text() == "\n"


def test_an_override_reaches_one_step(pipeline):
    pipeline.runx("-i", "STEPS.eval.ENV.EXTRA=yes", 'STEPS.eval.CMD=echo "$EXTRA" {n}')
    assert step_of(pipeline, 1, "eval").output.read_text() == "yes 1\n"


def test_a_run_of_a_command_and_one_of_steps_are_not_taken_for_each_other(pipeline):
    pipeline.write("sweep.yml", "CMD: bash step.sh train {n}\nHPARAMS: {n: [0, 1]}\n")
    pipeline.runx("-i")
    pipeline.write("sweep.yml", TWO)
    assert "2 new: starting 1 tokens, 2 train, 2 eval" in pipeline.runx("-i", "--resume")
    pipeline.write("sweep.yml", "CMD: bash step.sh train {n}\nHPARAMS: {n: [0, 1]}\n")
    assert "2 done: starting 0" in pipeline.runx("-i", "--resume")


def test_a_run_can_not_be_called_steps(pipeline):
    message = pipeline.runx("-i", "--no-cooldir", "--tag", "steps", status=2)
    assert "no run can be called steps" in message
    assert "no run can be called steps" in pipeline.runx("-i", "RUN_NAME=steps", status=2)


def test_attach_takes_one_step(pipeline):
    message = pipeline.runx("-i", "--attach", status=2)
    assert "--attach takes a single step; 5 would start" in message


def test_a_damaged_record_is_written_anew(pipeline):
    pipeline.fails("eval", "1")
    pipeline.runx("-i", status=1)
    pipeline.run(0).record.write_text("")
    step_of(pipeline, 1, "eval").record.write_text("")
    pipeline.runx("-i", "--resume")
    assert len(pipeline.runs()) == 2
    steps = record(pipeline.run(0))["steps"]
    assert [each["name"] for each in steps] == ["tokens", "train", "eval"]
    assert begun(pipeline).count("train 0") == 1
