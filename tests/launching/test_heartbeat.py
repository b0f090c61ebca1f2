"""A launcher's signs of life, and orders from elsewhere."""

import pytest
from sweeps import given_elsewhere

from runx.disk.orders import CANCEL, TIMEOUT, give
from runx.launching.heartbeat import BEAT, Heartbeat
from runx.launching.tasks import Task
from runx.rundir import RunDir


@pytest.fixture
def tasks(tmp_path):
    made = [Task(RunDir(tmp_path / name), 2) for name in ("owl", "fox")]
    for one in made:
        one.run.attempts.mkdir(parents=True)
    return made


def test_a_run_that_is_over_before_a_beat_is_due_gets_none(tasks):
    assert Heartbeat().beat(tasks) == []
    assert not tasks[0].run.beat(2).exists()


def test_who_looks_from_elsewhere_sees_a_beat(tasks, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    assert Heartbeat().beat(tasks) == []
    assert all(one.run.beat(2).exists() for one in tasks)


def test_a_folder_that_can_not_be_written_stops_nothing(tasks, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    tasks[0].run.attempts.rmdir()
    assert Heartbeat().beat(tasks) == []
    assert tasks[1].run.beat(2).exists()


def test_what_was_called_off_elsewhere_is_found(tasks, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    give(tasks[0].run, CANCEL, 2)  # here
    given_elsewhere(tasks[0].run, CANCEL, 1)
    given_elsewhere(tasks[0].run, TIMEOUT, 2)
    assert Heartbeat().beat(tasks) == []
    given_elsewhere(tasks[1].run, CANCEL, 2)
    assert Heartbeat().beat(tasks) == [tasks[1]]
