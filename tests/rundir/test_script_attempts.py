"""run.sh decides whose attempt it is: a job's own or none, and a person's is a further one."""

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from sweeps import events, names, wait_until

from runx.rundir.claims import claim_text
from runx.rundir.files import to_json
from runx.rundir.orders import CANCEL, write_order
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.sweeps.values import Point

LAUNCH = "2026-11-20T22.18.16Z-846a97"
OF_JOBS = """\
SLURM_JOB_ID SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID PBS_JOBID MOAB_JOBID LSB_JOBID LSB_JOBINDEX
JOB_ID SGE_TASK_ID NGC_JOB_ID
"""


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path, "echo attempt $RUNX_ATTEMPT; exit ${STATUS:-0}")


def write_run(folder, cmd):
    """Write a run whose first attempt a launcher has claimed for a farm."""
    run = Run("wise-owl", RunDir(folder / "wise-owl"), Point(()))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    settings = ScriptSettings("sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/home/me/project")
    run.dir.script.write_text(script(run, settings))
    claimed(run.dir, 1)
    return run.dir


def claimed(run, attempt, launch=LAUNCH):
    run.claim(attempt).write_text(claim_text("cluster", None, launch))


def refused(run, attempt):
    run.job(attempt).write_text(to_json({"farm": "cluster", "refused": True, "answer": "no"}))


def job(run, *words, wait=True, **environment):
    """Start run.sh as a job's script does: with the number of its attempt."""
    clean = {name: value for name, value in os.environ.items() if name not in OF_JOBS.split()}
    process = subprocess.Popen(
        ["bash", run.script, *map(str, words)],
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return (process.communicate(timeout=60)[1], process.returncode) if wait else process


def output(run):
    return run.output.read_text().splitlines() if run.output.exists() else []


def attempts(run):
    return sorted(file.name for file in run.attempts.glob("*.claim"))


def test_a_job_starts_its_own_attempt_and_writes_which_job_it_is(run):
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert output(run) == ["attempt 1"]
    assert events(run)[0]["job"] == "12"


def test_a_job_that_was_taken_for_lost_doubles_nothing_when_it_comes_back(run):
    claimed(run, 2)
    said, status = job(run, 1, SLURM_JOB_ID="12")
    assert status == 143
    assert "attempt 1 was called off; this is attempt 2's now" in said
    assert output(run) == []
    assert job(run, 2, SLURM_JOB_ID="13")[1] == 0
    assert output(run) == ["attempt 2"]
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 143
    assert output(run) == ["attempt 2"]


def test_nor_does_one_that_was_killed_before_and_is_queued_again_then(run):
    run.events(1).write_text('{"event":"started","time":1,"job":"12"}\n')
    claimed(run, 2)
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 143
    assert output(run) == []


def test_a_later_attempt_that_its_farm_refused_replaces_nothing(run):
    claimed(run, 2)
    refused(run, 2)
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert output(run) == ["attempt 2"]
    claimed(run, 3)
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 143


def test_one_that_was_cancelled_is_not_started_by_a_later_attempt_that_was_refused(run):
    write_order(run, CANCEL, 1)
    claimed(run, 2)
    refused(run, 2)
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 143
    assert output(run) == []


@pytest.mark.parametrize("ending", ["killed", "handed back"])
def test_a_job_that_is_queued_again_goes_on(run, ending):
    ended = '{"event":"ended","time":2,"code":75}\n' if ending == "handed back" else ""
    run.events(1).write_text(f'{{"event":"started","time":1,"job":"12_3"}}\n{ended}')
    variables = {"SLURM_JOB_ID": "15", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"}
    assert job(run, 1, **variables)[1] == 0
    assert output(run) == ["attempt 2"]
    assert json.loads(run.claim(2).read_text())["by"] == "run.sh"
    said, status = job(run, 1, **variables)
    assert (status, output(run)) == (0, ["attempt 2"])
    assert "was done by attempt 2" in said


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"SLURM_JOB_ID": "12"}, {"SLURM_JOB_ID": "13"}),
        (
            {"SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "1"},
            {"SLURM_JOB_ID": "13", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "2"},
        ),
        ({"PBS_JOBID": "7[1].server"}, {"PBS_JOBID": "7[2].server"}),
        ({"LSB_JOBID": "7", "LSB_JOBINDEX": "1"}, {"LSB_JOBID": "7", "LSB_JOBINDEX": "2"}),
        (
            {"JOB_ID": "7", "SGE_TASK_ID": "undefined"},
            {"JOB_ID": "8", "SGE_TASK_ID": "undefined"},
        ),
    ],
)
def test_two_jobs_of_one_attempt_run_once(run, first, second):
    assert job(run, 1, **first, STATUS="3")[1] == 3
    said, status = job(run, 1, **second)
    assert status == 0
    assert "runs nothing" in said
    assert output(run) == ["attempt 1"]
    assert attempts(run) == ["1.claim"]
    assert job(run, 1, **first)[1] == 0
    assert output(run) == ["attempt 1", "attempt 2"]


def test_two_jobs_of_one_attempt_that_start_at_once_run_once(tmp_path):
    for number in range(8):
        run = write_run(tmp_path / str(number), "echo attempt $RUNX_ATTEMPT")
        with ThreadPoolExecutor(4) as pool:
            started = [pool.submit(job, run, 1, PBS_JOBID=f"{each}.server") for each in range(4)]
        assert [each.result()[1] for each in started] == [0] * 4
        assert output(run) == ["attempt 1"]


def test_a_job_whose_environment_has_no_id_is_given_one(run):
    assert job(run, 1, "4.0", STATUS="1")[1] == 1
    assert "job 4.1 runs nothing" in job(run, 1, "4.1")[0]
    assert job(run, 1, "4.0")[1] == 0
    assert output(run) == ["attempt 1", "attempt 2"]


def test_a_job_of_no_id_that_was_killed_is_started_again_and_one_that_was_done_is_not(run):
    run.events(1).write_text('{"event":"started","time":1}\n')
    assert job(run, 1)[1] == 0
    assert output(run) == ["attempt 2"]
    said, status = job(run, 1)
    assert (status, output(run)) == (0, ["attempt 2"])
    assert "was done by attempt 2" in said


@pytest.mark.parametrize("words", [(), (1,)])
def test_a_start_of_no_id_beside_the_one_that_runs_runs_nothing(tmp_path, words):
    run = write_run(tmp_path, "echo attempt $RUNX_ATTEMPT; until [ -e ../go ]; do sleep 0.05; done")
    first = job(run, *words, wait=False)
    wait_until(lambda: "running" in names(run))
    message, status = job(run, *words)
    assert (status, "second start runs nothing" in message) == (0, True)
    (run.path / "go").touch()
    assert first.wait(60) == 0
    assert output(run) == ["attempt 1"]
    assert attempts(run) == ["1.claim"]


def test_what_a_person_has_done_while_the_job_waited_is_not_done_again(run):
    assert job(run)[1] == 0
    assert output(run) == ["attempt 1"]
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert output(run) == ["attempt 1"]


def test_a_person_starts_it_again_as_a_further_attempt_whatever_job_he_is_in(run):
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert job(run, SLURM_JOB_ID="99")[1] == 0
    assert job(run)[1] == 0
    assert output(run) == ["attempt 1", "attempt 2", "attempt 3"]
    assert "job" not in events(run, 2)[0]


def test_a_job_that_its_scheduler_queues_again_after_its_run_was_done_runs_nothing(run):
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    said, status = job(run, 1, SLURM_JOB_ID="12")
    assert (status, output(run)) == (0, ["attempt 1"])
    assert f"was done by attempt 1; bash {run.path}/run.sh runs it again" in said


def test_a_start_that_was_cut_off_before_it_was_written_is_made_again(run):
    run.events(1).touch()
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert output(run) == ["attempt 2"]


def test_a_copy_of_a_job_that_a_dead_node_left_running_ends_when_it_is_queued_again(tmp_path):
    run = write_run(tmp_path, "echo attempt $RUNX_ATTEMPT; [ $RUNX_ATTEMPT = 2 ] || exec sleep 60")
    claimed(run, 1)
    first = job(run, 1, SLURM_JOB_ID="12", RUNX_BEAT="0.1", wait=False)
    wait_until(run.beat(1).exists)
    assert job(run, 1, SLURM_JOB_ID="12")[1] == 0
    assert first.wait(30) == 143
    assert "superseded" in names(run)
    assert output(run) == ["attempt 1", "attempt 2"]


@pytest.mark.parametrize("later", ["refused", "claimed by a run.sh that started nothing"])
def test_what_runs_goes_on_beside_a_later_attempt_that_never_came_to_be(tmp_path, later):
    run = write_run(tmp_path, "trap 'echo warned' USR1; until [ -e ../go ]; do sleep 0.05; done")
    process = job(run, 1, SLURM_JOB_ID="12", RUNX_BEAT="0.1", wait=False)
    wait_until(lambda: run.beat(1).exists() and "running" in names(run))
    if later == "refused":
        refused(run, 2)  # Written first here, so that no heartbeat comes between.
        claimed(run, 2)
    else:
        claim = {**json.loads(claim_text("cluster", None)), "by": "run.sh"}
        run.claim(2).write_text(json.dumps(claim))
    changed = run.beat(1).stat().st_mtime_ns
    wait_until(lambda: run.beat(1).stat().st_mtime_ns > changed + 300_000_000)
    os.kill(events(run)[0]["pid"], signal.SIGUSR2)
    wait_until(lambda: "warned" in names(run))
    (run.path / "go").touch()
    assert process.wait(30) == 0
    assert "superseded" not in names(run)


def test_what_runs_ends_when_an_attempt_after_a_refused_one_takes_its_place(tmp_path):
    run = write_run(tmp_path, "exec sleep 60")
    process = job(run, 1, SLURM_JOB_ID="12", RUNX_BEAT="0.1", wait=False)
    wait_until(lambda: run.beat(1).exists() and "running" in names(run))
    refused(run, 2)
    claimed(run, 2)
    claimed(run, 3)
    assert process.wait(30) == 143
    assert "superseded" in names(run)


def test_a_submit_commands_job_of_the_first_attempt_that_comes_back_doubles_nothing(run):
    claimed(run, 1, None)
    run.events(1).write_text('{"event":"started","time":1}\n')
    claimed(run, 2, None)
    assert job(run, SLURM_JOB_ID="12")[1] == 143
    assert output(run) == []
    assert job(run, 2, SLURM_JOB_ID="13")[1] == 0
    assert output(run) == ["attempt 2"]


def test_a_job_that_is_killed_leaves_its_id(tmp_path):
    run = write_run(tmp_path, "echo ready; exec sleep 60")
    process = job(run, 1, SLURM_JOB_ID="12", wait=False)
    wait_until(lambda: "ready" in output(run) and "running" in names(run))
    os.killpg(events(run)[-1]["group"], signal.SIGKILL)
    process.kill()
    process.wait()
    assert "job 12 has started" in job(run, 1, SLURM_JOB_ID="13")[0]
