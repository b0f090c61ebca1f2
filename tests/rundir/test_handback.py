"""run.sh hands a failed run back to its scheduler for the causes of RETRIES, counted from files."""

import json
import signal
import time

import pytest
from job_scripts import BACK, job, made
from sweeps import events, names, wait_until

from runx.rundir.attempts import read_attempts
from runx.rundir.claims import claim_text
from runx.rundir.events import JobStatus
from runx.rundir.handback import Requeue, Retries
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.state import state


def handed(run, attempt=1):
    return [event.get("retry") for event in events(run, attempt) if event["event"] == "preempted"]


@pytest.mark.parametrize(
    ("cmd", "on", "cause"),
    [
        ("exit 3", "failed", "failed"),
        ("exit 3", "oom", None),
        ("echo torch.OutOfMemoryError: CUDA out of memory; exit 1", "oom", "oom"),
        ("kill -KILL $BASHPID", "oom", "oom"),
        ("kill -KILL $BASHPID", "killed", "killed"),
        ("kill -SEGV $BASHPID", "killed", "killed"),
        ("kill -SEGV $BASHPID", "failed", None),
        ("true", "failed", None),
    ],
)
def test_a_run_goes_back_for_a_cause_that_is_named(tmp_path, cmd, on, cause):
    run = made(tmp_path, cmd, Retries(2, (on,)))
    status = job(run)
    assert handed(run) == ([cause] if cause else [])
    assert (status == BACK) is bool(cause)


def test_what_an_earlier_attempt_has_printed_is_not_why(tmp_path):
    run = made(tmp_path, "[ $RUNX_ATTEMPT = 2 ] && exit 1; echo out of memory; exit 1", Retries(9))
    job(run)
    job(run)
    assert handed(run) == ["oom"]
    assert handed(run, 2) == ["failed"]


def test_it_is_tried_again_as_often_as_allowed_however_it_is_started(tmp_path):
    run = made(tmp_path, "exit 1", Retries(2))
    assert [job(run), job(run), job(run)] == [BACK, BACK, 1]
    # --resume submits a further attempt.
    run.claim(4).write_text(claim_text("cluster", None, "b-launch"))
    assert job(run, 4) == 1
    assert "tried again 2 times, as often as RETRIES allows" in run.output.read_text()


def test_what_somebody_has_ended_is_not_tried_again(tmp_path):
    run = made(tmp_path, "sleep 60", Retries(2, ("failed", "killed", "oom")))
    process = job(run, wait=False)
    wait_until(lambda: "running" in names(run))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert handed(run) == []


def test_nor_is_what_was_cancelled(tmp_path):
    run = made(tmp_path, "until [ -e ../go ]; do sleep 0.1; done; exit 1", Retries(2))
    process = job(run, wait=False)
    wait_until(lambda: "running" in names(run))
    write_order(run, CANCEL, 1)
    (run.path / "go").touch()
    assert process.wait(60) == 1
    assert handed(run) == []


def test_a_run_is_warned_of_its_time_limit_and_goes_back(tmp_path):
    run = made(tmp_path, "sleep 60", Retries(2, ("timeout",)))
    process = job(run, wait=False)
    wait_until(lambda: "running" in names(run))
    process.send_signal(signal.SIGUSR1)
    assert process.wait(60) == BACK
    assert handed(run) == ["timeout"]


def test_so_does_one_that_gets_term_when_its_time_is_over(tmp_path):
    run = made(tmp_path, "sleep 60", Retries(2, ("timeout",)))
    process = job(run, wait=False, RUNX_DEADLINE=str(int(time.time()) - 1))
    wait_until(lambda: "running" in names(run))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == BACK


def test_requeue_and_retries_count_apart(tmp_path):
    run = made(tmp_path, "exit $STATUS", Retries(1), Requeue(1))
    assert job(run, STATUS="75") == BACK
    assert job(run, STATUS="1") == BACK
    assert [handed(run), handed(run, 2)] == [[None], ["failed"]]
    assert job(run, STATUS="1") == 1


def test_a_status_that_would_start_it_again_is_not_passed_on_when_it_may_not(tmp_path):
    run = made(tmp_path, f"exit {BACK}", Retries(1, ("oom",)))
    assert job(run) == 1
    assert events(run)[-1]["code"] == BACK


def test_a_run_that_goes_back_is_preempted_and_says_why(tmp_path):
    run = made(tmp_path, "exit 1", Retries(1))
    job(run)
    attempts = read_attempts(run, time.time, print)
    assert str(state(attempts)) == "preempted (failed: to be tried again)"
    assert state(attempts, JobStatus("queued", "BeginTime")).name == "preempted"
    assert state(attempts, JobStatus("failed")).name == "killed"


def test_a_farm_that_takes_nothing_back_gets_the_plain_script(tmp_path):
    run = made(tmp_path, "exit 1", Retries(1), handback=("", 0, ""))
    assert job(run) == 1
    assert handed(run) == []


def test_a_command_that_fails_is_told(tmp_path):
    run = made(tmp_path, "exit 1", Retries(1), handback=("false", 0, ""))
    assert job(run) == 1
    assert [event["event"] for event in events(run)][-2:] == ["preempted", "refused"]
    assert json.loads(run.events(1).read_text().splitlines()[-2])["retry"] == "failed"
