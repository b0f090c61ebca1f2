"""Runs in containers, as far as processes are concerned: pid namespaces and host names."""

import json
import os
import signal
import subprocess
import time

import pytest
from sweeps import CONTAINER, Sweep, wait_until

from runx.local.process import LiveAttempt, signal_run
from runx.rundir.paths import ExperimentDir

pytestmark = pytest.mark.skipif(
    subprocess.run([*CONTAINER, "hostname", "probe"], capture_output=True).returncode != 0,
    reason="only root may make namespaces",
)


@pytest.fixture
def sweep(tmp_path, installed):
    sweep = Sweep(tmp_path / "project", installed, body="sleep 60")
    yield sweep
    sweep.clean()


def begun(sweep, *words, host="box1"):
    """Start a launch in a container; return its process when the first run has begun."""
    launcher = sweep.start(*words, host=host)
    wait_until(lambda: sweep.told("begin"))
    return launcher


def status(sweep, host=None):
    """Return the states that status tells, from outside or from within a container."""
    before = [*CONTAINER, "sh", "-c", 'hostname "$0"; exec "$@"', host] if host else []
    done = subprocess.run(
        [*before, "runx", "status", "sweep", "--json"],
        cwd=sweep.path,
        env=sweep.environment,
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    return sorted(run["state"] for run in json.loads(done.stdout))


@pytest.mark.parametrize("host", [None, "box1", "box2"])
def test_a_live_container_is_left_alone_and_a_dead_ones_runs_start_again(sweep, host):
    launcher = begun(sweep, "-i")
    assert status(sweep, host) == ["queued", "queued", "running"]
    launcher.kill()
    launcher.wait()
    assert wait_until(lambda: "running" not in status(sweep, host))
    assert status(sweep, host) == ["killed", "planned", "planned"]
    sweep.trains(":")
    again = sweep.start("-i", "--resume", "--restage", host=host) if host else None
    output = sweep.ended(again) if again else sweep.runx("-i", "--resume", "--restage")
    assert "2 planned, 1 killed: starting 3" in output
    assert status(sweep) == ["done"] * 3


def test_a_machine_that_was_renamed_meanwhile_is_the_same(sweep):
    launcher = begun(sweep, "-i")
    renamed = ["unshare", "--uts", "sh", "-c", 'hostname cafe; exec "$@"', "-"]
    words = [*renamed, "runx", "status", "sweep", "--json"]

    def told():
        done = subprocess.run(words, cwd=sweep.path, env=sweep.environment, capture_output=True)
        return sorted(run["state"] for run in json.loads(done.stdout))

    assert told() == ["queued", "queued", "running"]
    launcher.kill()
    launcher.wait()
    assert told() == ["killed", "planned", "planned"]


def test_a_launcher_whose_process_numbers_are_taken_here_signals_only_its_own(sweep):
    # The group of a run in a container is some other group here.
    launcher = begun(sweep, "-i", "-j", "3")
    wait_until(lambda: sweep.told("begin") == [0, 1, 2])
    run = sweep.run(0)
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    file = run.events(1)
    wait_until(lambda: '"running"' in file.read_text())
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[-1]["group"] = bystander.pid
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    message = sweep.command("cancel", "sweep", before=CONTAINER)
    assert "runs on box1; its launcher there is told by the order" in message
    for kill in ("TERM", "KILL"):
        live = LiveAttempt(run, 1, None, 0.0)
        assert signal_run(live, signal.Signals[f"SIG{kill}"]) in (True, False)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    launcher.kill()


def test_a_run_in_a_container_is_ended_from_its_machine(sweep):
    launcher = begun(sweep, "-i", "-j", "3")
    wait_until(lambda: sweep.told("begin") == [0, 1, 2])
    begin = time.monotonic()
    assert "3 of 3 runs cancelled" in sweep.command("cancel", "sweep")
    assert time.monotonic() - begin < 25  # Not by the heartbeat of its launcher.
    assert sweep.states() == ["cancelled"] * 3
    launcher.kill()


def test_the_turn_of_a_dead_container_is_over(sweep):
    folder = ExperimentDir(sweep.root / "sweep").turns
    code = (
        "import sys, pathlib, time\nfrom runx.rundir.turns import turn\n"
        "from runx.rundir.paths import ExperimentDir\n"
        "with turn(ExperimentDir(pathlib.Path(sys.argv[1])), print):\n"
        "    print('taken', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [*CONTAINER, "python", "-c", code, str(folder.parent.parent)],
        env=sweep.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "taken\n"
    sweep.trains(":")
    waiting = sweep.start("-i")
    wait_until(lambda: "waiting for the launcher" in sweep.said(waiting))
    time.sleep(6)
    assert waiting.poll() is None  # It lives, and holds its lock.
    holder.kill()
    holder.communicate()
    assert "3 runs done" in sweep.ended(waiting, 30)


def test_a_name_that_the_environment_gives_is_not_the_machines(sweep):
    sweep.trains(":")
    sweep.runx("-i", HOSTNAME="login1")
    [started] = [
        json.loads(line)
        for line in sweep.run(0).events(1).read_text().splitlines()
        if '"started"' in line
    ]
    assert started["host"] == os.uname().nodename
    assert started["namespace"] == os.readlink("/proc/self/ns/pid")
