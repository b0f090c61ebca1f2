"""The heartbeat of runs, and what was cancelled on another machine meanwhile."""

import time

import pytest
from sweeps import given_elsewhere

from runx.local.process import BEAT, Heartbeat, LiveAttempt
from runx.rundir.orders import CANCEL, TIMEOUT, write_order
from runx.rundir.paths import RunDir


@pytest.fixture
def running(tmp_path):
    runs = [
        LiveAttempt(RunDir(tmp_path / name), 2, None, time.monotonic()) for name in ("owl", "fox")
    ]
    for run in runs:
        run.dir.attempts.mkdir(parents=True)
    return runs


def test_a_run_that_is_over_before_a_beat_is_due_gets_none(running):
    assert Heartbeat().beat(running) == []
    assert not running[0].dir.beat(2).exists()


def test_another_machine_sees_a_beat(running, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    assert Heartbeat().beat(running) == []
    assert all(run.dir.beat(2).exists() for run in running)


def test_a_folder_that_can_not_be_written_stops_nothing(running, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    running[0].dir.attempts.rmdir()
    assert Heartbeat().beat(running) == []
    assert running[1].dir.beat(2).exists()


def test_runs_cancelled_on_another_machine_are_returned(running, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    write_order(running[0].dir, CANCEL, 2)  # here
    given_elsewhere(running[0].dir, CANCEL, 1)
    given_elsewhere(running[0].dir, TIMEOUT, 2)
    assert Heartbeat().beat(running) == []
    given_elsewhere(running[1].dir, CANCEL, 2)
    assert Heartbeat().beat(running) == [running[1]]
