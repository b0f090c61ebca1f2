"""What keeps a night from being lost, here: RETRIES and MAX_FAILURES."""

import json
import subprocess

import pytest
from sweeps import CONTAINER, Sweep, events


@pytest.fixture
def sweep(tmp_path, installed):
    project = Sweep(tmp_path / "project", installed, count=4)
    yield project
    project.clean()


def given(sweep, text):
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: [0, 1, 2, 3]}}\n{text}\n")


def retries(run):
    attempts = sorted(int(file.name.split(".")[0]) for file in run.attempts.glob("*.events.jsonl"))
    return [
        event["retry"] for attempt in attempts for event in events(run, attempt) if "retry" in event
    ]


def test_a_run_is_tried_again_for_the_causes_that_are_named_and_no_other(sweep):
    given(sweep, "RETRIES: {max: 1, on: [oom]}")
    sweep.trains("[ $2 = 0 ] && exit 3; [ $2 = 1 ] && { echo CUDA out of memory; exit 1; }")
    sweep.runx("-i", status=1)
    assert [retries(sweep.run(number)) for number in range(3)] == [[], ["oom"], []]
    assert sweep.states() == ["failed", "failed", "done", "done"]


def test_resume_does_not_double_what_was_tried(sweep):
    given(sweep, "RETRIES: 1")
    sweep.trains("[ $2 != 0 ] || exit 1")
    sweep.runx("-i", status=1)
    sweep.runx("-i", "--resume", status=1)
    assert sweep.told("begin").count(0) == 3
    # --retries is of one launch.
    sweep.runx("-i", "--resume", "--retries", "2", status=1)
    assert sweep.told("begin").count(0) == 6


def test_a_time_limit_is_tried_again_only_where_it_is_named(sweep):
    given(sweep, "RETRIES: {max: 1, on: timeout}")
    sweep.trains("[ $2 != 0 ] || sleep 60")
    sweep.runx("-i", "--timeout", "1s", status=1)
    assert retries(sweep.run(0)) == ["timeout"]


def test_failures_in_a_row_for_one_cause_stop_the_launcher_which_says_so(sweep):
    given(sweep, "MAX_FAILURES: 2")
    sweep.trains("[ $2 = 3 ] && exit; echo KeyError: lr; exit 1")
    said = sweep.runx("-i", status=1)
    reason = "held: 2 runs in a row failed: exit status 1: KeyError: lr"
    assert f"{reason}; nothing more is started" in said
    assert "2 of 4 runs failed, 2 not started" in said
    shown = sweep.command("status", "sweep", status=1)
    assert f"sweep is {reason}; runx release sweep lets what waits start" in shown
    sweep.trains(":")
    said = sweep.runx("-i", "--resume", "--restage")
    assert f"no longer {reason}" in said
    assert sweep.states() == ["done"] * 4
    assert "held" not in sweep.command("status", "sweep")


def test_a_launcher_that_waits_elsewhere_stops_too(sweep):
    given(sweep, "MAX_FAILURES: 3")
    sweep.trains("exit 1")
    sweep.runx("-i", "-j", "2", status=1)
    assert len(sweep.told("begin")) in (3, 4)


def test_release_lets_go_and_says_what_was_held(sweep):
    given(sweep, "MAX_FAILURES: 1")
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    held = json.loads((sweep.root / "sweep/.runx/held.json").read_text())
    assert held["reason"] == "held: a run has failed: exit status 1"
    assert f"sweep: no longer {held['reason']}" in sweep.command("release", "sweep")
    assert not (sweep.root / "sweep/.runx/held.json").exists()


def test_a_machine_on_which_runs_fail_at_once_is_passed_by(sweep):
    if subprocess.run([*CONTAINER, "hostname", "probe"], capture_output=True).returncode:
        pytest.skip("only root may name hosts")
    given(sweep, "")
    sweep.trains('[ "$(uname -n)" = elsewhere ] || exit 1')
    assert sweep.ended(sweep.start("-i", "--limit", "1", host="elsewhere"))
    said = sweep.runx("-i", status=1)
    assert "is avoided: 2 runs failed there within a minute, while others are done" in said
    assert "2 of 4 runs failed, 2 not started" in said
    assert "is avoided: 2 runs" in sweep.command("status", "sweep", status=1)
    said = sweep.runx("-i", "--resume", "AVOID_HOSTS=false", status=1)
    assert "avoided" not in said
