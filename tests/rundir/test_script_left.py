"""A run whose script has ended: what that left is named, and ended after LINGER."""

import os
import signal
import time
from pathlib import Path

import pytest
from scripts import begun, events, execute, names, wait_until, write_run

from runx.rundir.attempts import read_attempts, take_lock
from runx.rundir.claims import claim_text
from runx.rundir.shell import Shell
from runx.rundir.state import state

SILENT = "</dev/null >/dev/null 2>&1"
PYTHON = (
    'python3 -c \'import subprocess as s; s.Popen(["sleep", "61"], start_new_session=True,'
    " stdin=s.DEVNULL, stdout=s.DEVNULL, stderr=s.DEVNULL)'"
)
LEFT = {
    "a job in the background": "sleep 61 &",
    "a session of its own": "setsid sleep 61 &",
    "silent": f"setsid sleep 61 {SILENT} &",
    "silent, without the locks": PYTHON,
    "deaf to TERM": f"(trap '' TERM; exec sleep 61 {SILENT}) &",
    "a worker of a worker": f"bash -c 'setsid bash -c \"sleep 61 & wait\" {SILENT} & exit' &",
}


def state_of(run):
    return state(read_attempts(run, time.time, lambda line: None))


def is_there(run):
    mark = os.fsencode(f"RUNX_LOGDIR={run.path}")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("what", LEFT)
def test_what_a_script_leaves_is_named_and_ended_and_its_own_status_counts(tmp_path, what):
    run = write_run(tmp_path, f"{LEFT[what]}\nexit 3", shell=Shell(linger=1))
    begin = time.monotonic()
    assert execute(run).returncode == 3
    assert time.monotonic() - begin < 20
    wait_until(lambda: not is_there(run), 3)
    assert "left" in names(run)
    assert "run.sh: its script ended with 3; still there: " in run.output.read_text()
    assert "sleep 61" in run.output.read_text()
    assert state_of(run)[:2] == ("failed", "exit status 3")


def test_nothing_lingers_where_that_is_not_wanted(tmp_path):
    run = write_run(tmp_path, "sleep 61 & exit 0", shell=Shell(linger=0))
    begin = time.monotonic()
    assert execute(run).returncode == 0
    assert time.monotonic() - begin < 5
    assert state_of(run).name == "done"


def test_who_is_not_found_does_not_keep_the_run_from_starting_again(tmp_path):
    hidden = f"env -i setsid /bin/sleep 61 {SILENT} & echo $! > ../pid; sleep 0.3; exit 3"
    run = write_run(tmp_path, hidden, shell=Shell(linger=1))
    assert execute(run).returncode == 3
    pid = int((run.path / "pid").read_text())
    try:
        os.kill(pid, 0)
        lock = take_lock(run)
        assert lock is not None
        os.close(lock)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_an_upload_in_the_background_comes_to_its_end(tmp_path):
    run = write_run(tmp_path, "(sleep 2.5; echo uploaded) & echo trained", shell=Shell(linger=600))
    assert execute(run).returncode == 0
    text = run.output.read_text()
    assert text.startswith("trained\n") and text.endswith("uploaded\n")
    assert "its script ended with 0; still there" in text


def test_a_script_killed_beside_its_workers_is_told_while_they_are_there(tmp_path):
    body = "for i in 1 2 3; do sleep 61 & done; echo ready; echo $$ $BASHPID > ../pid; wait"
    run = write_run(tmp_path, f"bash -c '{body}'", shell=Shell(linger=600))
    process = begun(run)
    wait_until((run.path / "pid").exists)
    wait_until(lambda: (run.path / "pid").read_text().split())
    os.kill(int((run.path / "pid").read_text().split()[0]), signal.SIGKILL)
    wait_until(lambda: "left" in names(run))
    current = state_of(run)
    assert current.name == "running"
    assert current.reason.startswith("its script ended with 137; still there: ")
    assert current.reason.count("sleep 61") == 3
    process.terminate()
    assert process.wait(30) == 137
    assert state_of(run)[:2] == ("killed", "by KILL")


def test_a_run_killed_while_something_lingers_has_the_end_of_its_script(tmp_path):
    run = write_run(tmp_path, "echo ready; sleep 61 & exit 0", shell=Shell(linger=600))
    process = begun(run)
    wait_until(lambda: "left" in names(run))
    process.kill()
    process.wait()
    os.killpg(events(run)[1]["group"], signal.SIGKILL)
    wait_until(lambda: state_of(run).name != "running")
    assert state_of(run).name == "done"


def test_names_that_are_no_json_are_told_all_the_same(tmp_path):
    run = write_run(
        tmp_path,
        "bash -c 'exec -a $'\"'\"'a\"\\\\b\\n\\xff'\"'\"' sleep 61' & exit 1",
        shell=Shell(linger=1),
    )
    assert execute(run).returncode == 1
    assert state_of(run)[:2] == ("failed", "exit status 1")
    assert len(events(run)) == 4


def test_on_a_farm_what_is_left_is_ended_too_and_the_heartbeat_is_none_of_it(tmp_path):
    run = write_run(tmp_path, f"setsid sleep 61 {SILENT} & exit 3", shell=Shell(linger=1))
    run.claim(1).write_text(claim_text("cluster", None))
    assert execute(run, RUNX_BEAT="0.1").returncode == 3
    wait_until(lambda: not is_there(run), 3)
    [left] = [event for event in events(run) if event["event"] == "left"]
    assert left["processes"].count(",") == 0 and "sleep 61" in left["processes"]
    other = write_run(tmp_path, "sleep 1.5; exit 0", name="bat")
    other.claim(1).write_text(claim_text("cluster", None))
    assert execute(other, RUNX_BEAT="0.1").returncode == 0
    assert names(other) == ["started", "running", "ended"]
