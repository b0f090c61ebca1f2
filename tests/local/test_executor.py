"""Runs executed, so many at a time: real runs, with a watcher that notes what it is told."""

import os

import pytest
from sweeps import events, given_elsewhere

from runx.local.executor import BEAT, Executor, Heartbeat, Policy, Task
from runx.local.gpus import Lease, NoDevices
from runx.rundir.attempts import take_lock
from runx.rundir.claims import claim_text
from runx.rundir.orders import CANCEL, TIMEOUT, give
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point


class Notes:
    """Keeps what it is told, as words."""

    def __init__(self):
        self.told = []
        self.last = []

    def started(self, task, lease):
        self.told.append(f"{task.name} started")

    def ended(self, ended, again):
        self.told.append(f"{ended.name} ended {ended.status}{' again' if again else ''}")
        self.last += [] if again else [ended]

    def left(self, task):
        self.told.append(f"{task.name} left")

    def stopping(self, killing):
        self.told.append("stopping")

    def blocked(self):
        self.told.append("blocked")

    def tick(self, running, waiting):
        return 0.05


@pytest.fixture
def tasks(tmp_path):
    def made(**commands):
        return [Task(_made(tmp_path / name, cmd), 1) for name, cmd in commands.items()]

    return made


def _made(path, cmd):
    run = Run(path.name, RunDir(path), Point(()))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    around = ScriptSettings("sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/home")
    run.dir.script.write_text(script(run, around))
    return run.dir


def claim(task):
    task.run.claim(task.attempt).write_text(claim_text(None, None))
    return "ours"


def execute(tasks, policy=Policy(), devices=NoDevices(), claim=claim):  # noqa: B008
    notes = Notes()
    executor = Executor(policy, devices, claim, notes)
    executor.execute(tasks)
    return notes


def test_an_error_in_claiming_leaves_no_lease_and_no_lock(tasks):
    closed = []

    class Held(Lease):
        def close(self):
            closed.append(True)

    class Devices:
        def lease(self):
            return Held()

    [task] = tasks(a="true")

    def broken(_task):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        execute([task], devices=Devices(), claim=broken)
    assert closed == [True]
    lock = take_lock(task.run)
    assert lock is not None
    os.close(lock)


def test_runs_end_one_after_another_in_their_order(tasks):
    notes = execute(tasks(a="true", b="exit 4", c="true"))
    assert notes.told == [
        *("a started", "a ended 0"),
        *("b started", "b ended 4"),
        *("c started", "c ended 0"),
    ]


def test_what_is_somebody_elses_is_left_and_what_was_called_off_has_ended(tasks):
    rights = {"a": "theirs", "b": "cancelled", "c": "ours"}
    notes = execute(tasks(a="true", b="true", c="true"), claim=lambda task: rights[task.name])
    assert notes.told[:2] == ["a left", "b ended 130"]
    assert notes.last[0].order == CANCEL
    assert notes.told[-1] == "c ended 0"


def test_a_further_attempt_goes_before_what_waits(tasks):
    policy = Policy(retries=1)
    notes = execute(tasks(a="[ $RUNX_ATTEMPT = 2 ]", b="true"), policy)
    assert [line for line in notes.told if "ended" in line] == [
        "a ended 1 again",
        "a ended 0",
        "b ended 0",
    ]


def test_a_further_attempt_that_is_somebody_elses_is_left(tasks):
    [task] = tasks(a="exit 1")
    notes = execute(
        [task],
        Policy(retries=1),
        claim=lambda task: claim(task) if task.attempt == 1 else "theirs",
    )
    assert notes.told == ["a started", "a ended 1 again", "a left"]


def test_after_so_many_failures_nothing_more_starts(tasks):
    notes = execute(tasks(a="exit 1", b="exit 1", c="true"), Policy(max_failures=2))
    assert "c started" not in notes.told


def test_devices_that_are_all_taken_are_waited_for(tasks):
    class Later:
        asked = 0

        def lease(self):
            self.asked += 1
            return Lease() if self.asked > 3 else None

    notes = execute(tasks(a="true"), devices=Later())
    assert notes.told == ["blocked"] * 3 + ["a started", "a ended 0"]


def test_each_run_is_told_which_devices_are_its_own(tasks):
    class One:
        def lease(self):
            return Lease(("g0",), {"CUDA_VISIBLE_DEVICES": "g0"})

    [task] = tasks(a="echo on $CUDA_VISIBLE_DEVICES")
    execute([task], devices=One())
    assert task.run.output.read_text() == "on g0\n"
    assert events(task.run)[-1]["code"] == 0


@pytest.mark.parametrize(("cmd", "status"), [("sleep 60", 143), ("trap '' TERM; sleep 60", 137)])
def test_a_run_that_is_called_off_on_another_machine_ends_here(tasks, monkeypatch, cmd, status):
    monkeypatch.setenv(BEAT, "0.1")
    [task] = tasks(owl=cmd)
    notes = Notes()
    notes.tick = lambda running, waiting: off() or 0.05

    def off():
        if task.run.events(1).exists() and not task.run.orders.exists():
            given_elsewhere(task.run, CANCEL, 1)

    executor = Executor(Policy(grace=0.3), NoDevices(), lambda task: "ours", notes)
    executor.execute([task])
    [end] = notes.last
    assert (end.status, end.order) == (status, CANCEL)


@pytest.fixture
def beating(tmp_path):
    made = [Task(RunDir(tmp_path / name), 2) for name in ("owl", "fox")]
    for one in made:
        one.run.attempts.mkdir(parents=True)
    return made


def test_a_run_that_is_over_before_a_beat_is_due_gets_none(beating):
    assert Heartbeat().beat(beating) == []
    assert not beating[0].run.beat(2).exists()


def test_who_looks_from_elsewhere_sees_a_beat(beating, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    assert Heartbeat().beat(beating) == []
    assert all(one.run.beat(2).exists() for one in beating)


def test_a_folder_that_can_not_be_written_stops_nothing(beating, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    beating[0].run.attempts.rmdir()
    assert Heartbeat().beat(beating) == []
    assert beating[1].run.beat(2).exists()


def test_what_was_called_off_elsewhere_is_found(beating, monkeypatch):
    monkeypatch.setenv(BEAT, "1e-9")
    give(beating[0].run, CANCEL, 2)  # here
    given_elsewhere(beating[0].run, CANCEL, 1)
    given_elsewhere(beating[0].run, TIMEOUT, 2)
    assert Heartbeat().beat(beating) == []
    given_elsewhere(beating[1].run, CANCEL, 2)
    assert Heartbeat().beat(beating) == [beating[1]]
