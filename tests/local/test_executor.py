"""Runs executed, some at a time: real runs, with a watcher that notes what it is called with."""

import os

import pytest
from sweeps import events, given_elsewhere

from runx.local.executor import Executor, Policy
from runx.local.gpus import Lease, NoDevices
from runx.local.process import BEAT
from runx.local.tasks import Task
from runx.local.waiting import _NO_GPU
from runx.rundir.attempts import take_lock
from runx.rundir.claims import claim_text
from runx.rundir.handback import Retries
from runx.rundir.orders import CANCEL
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point


class Notes:
    """A watcher that keeps its calls as lines, and the runs that have ended."""

    def __init__(self):
        self.lines = []
        self.over = []

    def started(self, task, lease):
        self.lines.append(f"{task.name} started")

    def ended(self, ended, again):
        self.lines.append(f"{ended.name} ended {ended.status}{' again' if again else ''}")
        self.over += [] if again else [ended]

    def left(self, task):
        self.lines.append(f"{task.name} left")

    def stopping(self, killing):
        self.lines.append("stopping")

    def note(self, line):
        self.lines.append(line)

    def blocked(self, what):
        self.lines.append(f"blocked: {what}")

    def tick(self, running, waiting):
        return 0.05


@pytest.fixture
def tasks(tmp_path):
    def make(**commands):
        return [Task(make_run(tmp_path / name, cmd), 1) for name, cmd in commands.items()]

    return make


def make_run(path, cmd):
    run = Run(path.name, RunDir(path), Point(()))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    settings = ScriptSettings("sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/home")
    run.dir.script.write_text(script(run, settings))
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
    assert notes.lines == [
        *("a started", "a ended 0"),
        *("b started", "b ended 4"),
        *("c started", "c ended 0"),
    ]


def test_what_another_launch_executes_is_left_and_what_was_cancelled_has_ended(tasks):
    rights = {"a": "theirs", "b": "cancelled", "c": "ours"}
    notes = execute(tasks(a="true", b="true", c="true"), claim=lambda task: rights[task.name])
    assert notes.lines[:2] == ["a left", "b ended 130"]
    assert notes.over[0].order == CANCEL
    assert notes.lines[-1] == "c ended 0"


def test_a_further_attempt_goes_before_what_waits(tasks):
    policy = Policy(retries=Retries(1))
    notes = execute(tasks(a="[ $RUNX_ATTEMPT = 2 ]", b="true"), policy)
    assert [line for line in notes.lines if "ended" in line] == [
        "a ended 1 again",
        "a ended 0",
        "b ended 0",
    ]


def test_a_further_attempt_that_another_launch_executes_is_left(tasks):
    [task] = tasks(a="exit 1")
    notes = execute(
        [task],
        Policy(retries=Retries(1)),
        claim=lambda task: claim(task) if task.attempt == 1 else "theirs",
    )
    assert notes.lines == ["a started", "a ended 1 again", "a left"]


def test_after_max_failures_nothing_more_starts(tasks):
    notes = execute(tasks(a="exit 1", b="exit 1", c="true"), Policy(max_failures=2))
    assert "c started" not in notes.lines


def test_devices_that_are_all_taken_are_waited_for(tasks):
    class Later:
        calls = 0

        def lease(self):
            self.calls += 1
            return Lease() if self.calls > 3 else None

    notes = execute(tasks(a="true"), devices=Later())
    assert notes.lines == [f"blocked: {_NO_GPU}"] * 3 + ["a started", "a ended 0"]


def test_each_run_has_the_names_of_its_own_devices(tasks):
    class OneDevice:
        def lease(self):
            return Lease(("g0",), {"CUDA_VISIBLE_DEVICES": "g0"})

    [task] = tasks(a="echo on $CUDA_VISIBLE_DEVICES")
    execute([task], devices=OneDevice())
    assert task.run.output.read_text() == "on g0\n"
    assert events(task.run)[-1]["code"] == 0


@pytest.mark.parametrize(("cmd", "status"), [("sleep 60", 143), ("trap '' TERM; sleep 60", 137)])
def test_a_run_that_is_cancelled_on_another_machine_ends_here(tasks, monkeypatch, cmd, status):
    monkeypatch.setenv(BEAT, "0.1")
    [task] = tasks(owl=cmd)
    notes = Notes()
    notes.tick = lambda running, waiting: cancel() or 0.05

    def cancel():
        if task.run.events(1).exists() and not task.run.orders.exists():
            given_elsewhere(task.run, CANCEL, 1)

    executor = Executor(Policy(grace=0.3), NoDevices(), lambda task: "ours", notes)
    executor.execute([task])
    [end] = notes.over
    assert (end.status, end.order) == (status, CANCEL)
