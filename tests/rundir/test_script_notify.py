"""run.sh has people told, by the script that the last launch has left, where there may be news."""

import os
import subprocess
import time

import pytest
from scripts import write_run

from runx.rundir.claims import claim_text
from runx.rundir.files import to_json
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir

ENDED = '{"event":"started","time":1}\n{"event":"ended","time":2,"code":0}\n'


@pytest.fixture
def run(tmp_path):
    run = write_run(tmp_path, "exit ${STATUS:-0}", claim=False)
    run.claim(1).write_text(claim_text("cluster", None))
    return run


@pytest.fixture
def left(tmp_path):
    """A function that leaves the script of a launch, which notes that it was asked."""

    def leave(on="end", then="", launch="2026-01-01T00.00.00Z-a", mode=0o700):
        script = tmp_path / ".runx" / "launches" / launch / "notify.sh"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f'#!/bin/sh\n# on: {on}\necho {launch} >>"{tmp_path}/asked"\n{then}\n')
        script.chmod(mode)
        return script

    return leave


def job(run, **environment):
    """Execute a run as a job does; return its exit status and what it said."""
    done = subprocess.run(
        ["bash", run.script, "1"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def asked(tmp_path):
    file = tmp_path / "asked"
    return file.read_text().split() if file.exists() else []


def other(tmp_path, events="", name="b", attempt=1, beat=None):
    """Write another run of the experiment, submitted, with its events."""
    run = RunDir(tmp_path / name)
    run.attempts.mkdir(parents=True)
    run.claim(attempt).write_text(claim_text("cluster", None))
    if events:
        run.events(attempt).write_text(events)
    if beat is not None:
        for file in (run.beat(attempt), run.events(attempt)):
            file.touch()
            os.utime(file, (time.time() - beat,) * 2)
    return run


def test_without_a_script_nothing_is_asked_and_said(run, tmp_path):
    assert job(run, STATUS="3") == (3, "")


def test_a_script_that_fails_changes_nothing(run, left, tmp_path):
    left(then="exit 7")
    assert job(run, STATUS="3") == (3, "")
    assert len(asked(tmp_path)) == 1


def test_a_script_that_somebody_else_may_run_alone_is_left(run, left, tmp_path):
    left(mode=0o600)
    assert job(run) == (0, "")
    assert asked(tmp_path) == []


def test_a_script_that_does_not_end_is_ended(run, left, tmp_path):
    left(then="sleep 100")
    text = run.script.read_text()
    run.script.write_text(text.replace("timeout -k 5 75", "timeout -k 1 1"))
    began = time.monotonic()
    assert job(run)[0] == 0
    assert time.monotonic() - began < 30


def test_what_the_script_says_is_in_the_jobs_own_log(run, left):
    left(then="echo warning: NOTIFY: refused >&2")
    assert job(run) == (0, "warning: NOTIFY: refused\n")
    assert "NOTIFY" not in run.output.read_text()


def test_the_script_of_the_last_launch_is_asked(run, left, tmp_path):
    left(launch="2026-01-01T00.00.00Z-b")
    left(launch="2026-02-01T00.00.00Z-a")
    job(run)
    assert asked(tmp_path) == ["2026-02-01T00.00.00Z-a"]


def test_a_person_who_runs_it_by_hand_is_not_told(run, left, tmp_path):
    left()
    run.claim(1).write_text(claim_text(None, None))
    assert job(run)[0] == 0
    assert asked(tmp_path) == []


@pytest.mark.parametrize(
    "events",
    [
        "",
        '{"event":"started","time":1}\n',
        f'{ENDED}{{"event":"preempted","time":3}}\n',
    ],
)
def test_while_another_run_goes_on_or_waits_the_end_is_not_asked_for(run, left, tmp_path, events):
    left()
    other(tmp_path, events)
    job(run)
    assert asked(tmp_path) == []


def test_where_the_others_have_ended_are_silent_or_will_not_start_it_is(run, left, tmp_path):
    left()
    other(tmp_path, ENDED)
    other(tmp_path, ENDED, "c", attempt=2)
    RunDir(tmp_path / "planned").attempts.mkdir(parents=True)
    other(tmp_path, '{"event":"started","time":1}\n', "silent", beat=1000)
    write_order(other(tmp_path, name="cancelled"), CANCEL, 1)
    refused = other(tmp_path, name="refused")
    refused.job(1).write_text(to_json({"farm": "cluster", "refused": True, "answer": "no"}))
    job(run)
    assert len(asked(tmp_path)) == 1


def test_a_failure_is_asked_for_until_it_is_told(run, left, tmp_path):
    script = left(on="failure")
    other(tmp_path)
    job(run)
    assert asked(tmp_path) == []
    script.with_name("notified.failure").touch()
    run.events(1).unlink()
    assert job(run, STATUS="3")[0] == 3
    assert asked(tmp_path) == []
    script.with_name("notified.failure").unlink()
    run.events(1).unlink()
    job(run, STATUS="3")
    assert len(asked(tmp_path)) == 1


def test_a_best_is_asked_for_by_what_is_done(run, left, tmp_path):
    left(on="end best")
    other(tmp_path)
    job(run, STATUS="3")
    assert asked(tmp_path) == []
    run.events(1).unlink()
    job(run)
    assert len(asked(tmp_path)) == 1
