"""One run here: its lock, its end, and the processes that get a signal."""

import os
import signal
import subprocess
import time

import pytest
from sweeps import events, names, wait_until

import runx.local.process
from runx.local.gpus import Lease
from runx.local.process import LiveAttempt, processes_of, signal_run, start
from runx.locks import is_held
from runx.rundir.attempts import take_lock
from runx.rundir.claims import claim_text
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point


@pytest.fixture
def make(tmp_path):
    """A function that makes and starts a run; what still runs of it at the end is killed."""
    lives = []

    def prepare(cmd):
        run = Run("owl", RunDir(tmp_path / "owl"), Point(()))
        run.dir.code.mkdir(parents=True)
        run.dir.attempts.mkdir()
        settings = ScriptSettings("sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/home")
        run.dir.script.write_text(script(run, settings))
        run.dir.claim(1).write_text(claim_text(None, None))
        return run.dir

    def begin(cmd):
        live = start(prepare(cmd), 1, Lease(), lambda: True)
        lives.append(live)
        return live

    begin.prepare = prepare
    yield begin
    for live in lives:
        signal_run(live, signal.SIGKILL)
        if live.process.poll() is None:
            live.process.kill()
        live.process.wait()


def status(live):
    return wait_until(lambda: (code := live.status()) is not None and [code])[0]


def has(run, text):
    return lambda: run.output.exists() and text in run.output.read_text()


def test_a_run_that_is_alive_is_not_started(make, monkeypatch):
    monkeypatch.setattr(runx.rundir.attempts, "_LOCK_SECONDS", 0.1)
    live = make("sleep 60")
    assert start(live.dir, 1, Lease(), lambda: pytest.fail("claimed")) is None


def test_a_run_that_is_not_ours_is_not_started(make):
    run = make.prepare("touch ../started")
    assert start(run, 1, Lease(), lambda: False) is None
    assert is_held(run.lock) is False
    assert not run.events(1).exists()


def test_an_attempt_is_claimed_while_nobody_else_can_start_it(make):
    run = make.prepare("true")
    locked = []
    start(run, 1, Lease(), lambda: locked.append(is_held(run.lock)))
    assert locked == [True]


def test_a_shared_lock_of_a_reader_does_not_keep_a_run_from_starting(make):
    run = make.prepare("true")
    reader = subprocess.Popen(
        ["flock", "-s", run.lock, "sh", "-c", "echo; sleep 0.3"], stdout=subprocess.PIPE
    )
    reader.stdout.readline()
    lock = take_lock(run)
    assert lock is not None
    os.close(lock)
    reader.communicate()


def test_a_run_goes_on_while_any_process_of_it_lives(make):
    live = make("echo ready; exec sleep 60")
    wait_until(lambda: "running" in names(live.dir))
    live.process.kill()
    live.process.wait()
    assert live.status() is None
    os.killpg(events(live.dir)[1]["group"], signal.SIGKILL)
    assert status(live) == 137


def test_an_adopted_runs_end_is_read_from_its_events(make):
    live = make("exit 3")
    live.process.wait()
    assert LiveAttempt(live.dir, 1, None, time.monotonic()).status() == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_goes_through_run_sh_which_records_it(make, number):
    live = make("echo ready; trap 'exit 9' INT TERM; while :; do sleep 0.05; done")
    wait_until(has(live.dir, "ready"))
    signal_run(live, number)
    assert status(live) == 9
    assert "signalled" in names(live.dir)


def test_a_signal_reaches_the_script_although_run_sh_is_gone(make):
    live = make("echo ready; exec sleep 60")
    wait_until(has(live.dir, "ready"))
    wait_until(lambda: "running" in names(live.dir))
    live.process.kill()
    live.process.wait()
    signal_run(live, signal.SIGTERM)
    assert status(live) == 137


def test_kill_spares_run_sh_so_that_it_records_the_end(make):
    live = make("echo ready; trap '' TERM INT; while :; do sleep 0.05; done")
    wait_until(has(live.dir, "ready"))
    signal_run(live, signal.SIGKILL)
    assert status(live) == 137
    assert names(live.dir)[-1] == "ended"


def test_kill_reaches_what_has_left_the_group_and_nobody_else(make, tmp_path):
    live = make("setsid sleep 61 & echo ready; sleep 61")
    wait_until(has(live.dir, "ready"))
    wait_until(lambda: len(list(processes_of(live.dir, 1))) >= 2)
    bystander = subprocess.Popen(
        ["sleep", "60"], env={**os.environ, "RUNX_LOGDIR": str(live.dir.path)}
    )
    signal_run(live, signal.SIGKILL)
    assert status(live) == 137
    wait_until(lambda: not list(processes_of(live.dir, 1)))
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_errors_of_bash_itself_are_in_the_output(make):
    run = make.prepare("true")
    run.script.write_text("if\n")
    live = start(run, 1, Lease(), lambda: True)
    assert live.process.wait() == 2
    assert "syntax error" in run.output.read_text()
