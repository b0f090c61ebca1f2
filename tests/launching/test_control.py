"""Ending runs on purpose: those here, and those whose farm can't."""

import json
import subprocess
import time

import pytest
from project import Project
from sweeps import CONTAINER, Sweep

from runx.launching.control import cancel
from runx.rundir.paths import RunDir


@pytest.fixture
def project(tmp_path, installed):
    return Project(tmp_path, installed)


SUBMIT = """#!/bin/bash
# Keeps what it is given, as a scheduler that never gets to it.
while [ $# -gt 1 ]; do shift; done
mkdir -p {jobs}
echo "$1" >{jobs}/$(ls {jobs} | wc -l)
echo job $(ls {jobs} | wc -l)
"""
WAITS = "import signal, sys, time\n{first}\nprint('ready', flush=True)\ntime.sleep(60)\n"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def farm(project, template="{farm}"):
    project.jobs = project.path / "jobs"
    file = project.write("bin/submit_job", SUBMIT.format(jobs=project.jobs), 0o755)
    project.write(".runx", f"FARM: big\nbig: {{SUBMIT_CMD: '{template.format(farm=file)}'}}\n")
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")


def job(project, number, **environment):
    """Start a job that waited."""
    words = (project.jobs / str(number)).read_text()
    return subprocess.Popen(
        ["bash", "-c", words if words.startswith("bash ") else f"bash {words}"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**project.environment, **environment},
    )


def state(project):
    [run] = json.loads(project.runx("status", "sweep", "--json").stdout)
    return run["state"]


def test_a_job_that_never_executes_run_sh_is_never_cancelled(project):
    # Else --resume would start it again, beside the job that still waits.
    farm(project, "{farm} -c {{{{ command }}}}")
    project.runx("sweep.yml")
    message = project.runx("cancel", "sweep", status=3).stderr
    assert message == (
        "runx: farm big: runx can't cancel jobs of TYPE command; do it in its own way\n"
    )
    assert not any((run / "orders").exists() for run in project.runs())
    assert "1 queued: starting 0" in project.runx("sweep.yml", "--resume").stderr


def test_a_bare_command_whose_submission_may_have_failed_can_be_given_up(project):
    farm(project, "{farm} -c {{{{ command }}}}")
    slow = 'echo "error: Socket timed out on send/recv operation" >&2; exit 1'
    project.write("bin/submit_job", SUBMIT.format(jobs=project.jobs) + slow, 0o755)
    project.runx("sweep.yml", status=3)
    assert "1 queued: starting 0" in project.runx("sweep.yml", "--resume").stderr
    project.write("bin/submit_job", SUBMIT.format(jobs=project.jobs), 0o755)
    message = project.runx("cancel", "sweep").stderr
    [run] = project.runs()
    assert f"{run.name}: given up: big can't be asked for its job, nor told to end it" in message
    assert "it will run beside the one that --resume starts" in message
    assert state(project) == "cancelled"
    assert "1 cancelled: starting 1" in project.runx("sweep.yml", "--resume").stderr


def test_holding_what_no_farm_has_is_refused_with_the_reason(project):
    project.write("train.py", WAITS.format(first=""))
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    words = ["runx", "sweep.yml", "-i"]
    launcher = subprocess.Popen(words, cwd=project.path, env=project.environment)
    wait_until(lambda: "ready" in (project.runs()[0] / "output.log").read_text(), launcher)
    message = project.runx("hold", "sweep", status=1).stderr
    [run] = project.runs()
    why = "it is running; only what waits, here or at a farm, can be held and released"
    assert f"{run.name}: not held: {why}\n0 of 1 runs held" in message
    project.runx("cancel", "sweep")
    launcher.wait(60)


@pytest.mark.parametrize("template", ["{farm}", "{farm} -c {{{{ script }}}}"])
def test_a_job_that_is_cancelled_while_it_waits_never_runs(project, template):
    farm(project, template)
    project.runx("sweep.yml")
    assert state(project) == "queued"
    message = project.runx("cancel", "sweep").stderr
    assert "1 told by an order, since runx can't end jobs of their farm" in message
    assert "1 of 1 runs cancelled" in message
    assert state(project) == "cancelled"
    assert job(project, 0).wait() == 143
    assert not (project.runs()[0] / "output.log").exists()
    assert state(project) == "cancelled"


@pytest.mark.parametrize("template", ["{farm}", "{farm} -c {{{{ script }}}}"])
def test_a_job_that_was_called_off_is_not_taken_for_the_one_in_its_place(project, template):
    farm(project, template)
    project.runx("sweep.yml")
    project.runx("cancel", "sweep")
    assert "1 cancelled: starting 1" in project.runx("sweep.yml", "--resume").stderr
    assert job(project, 0).wait() == 143
    assert state(project) == "queued"
    assert job(project, 1).wait() == 0
    assert state(project) == "done"
    assert len(project.argvs()) == 1


def test_a_job_that_a_failed_submission_may_have_queued_is_never_doubled(project):
    # The submit command queues it, hears nothing in time, and fails.
    farm(project)
    slow = 'echo "error: Socket timed out on send/recv operation" >&2; exit 1'
    queues = SUBMIT.format(jobs=project.jobs)
    project.write("bin/submit_job", queues + slow, 0o755)
    message = project.runx("sweep.yml", status=3).stderr
    [run] = project.runs()
    assert "big may have taken" in message
    assert f"if it isn't there, runx cancel {run.name} lets --resume submit it" in message
    resumed = project.runx("sweep.yml", "--resume").stderr
    assert "1 queued: starting 0" in resumed
    assert f"{run.name}: left alone: queued (it may be with big; if it is not" in resumed
    assert len(list(project.jobs.iterdir())) == 1
    # The way that was said works; the job that was there after all takes nothing from the other.
    project.write("bin/submit_job", queues, 0o755)
    project.runx("cancel", "sweep")
    assert "1 cancelled: starting 1" in project.runx("sweep.yml", "--resume").stderr
    assert job(project, 0).wait() == 143
    assert job(project, 1).wait() == 0
    assert len(project.argvs()) == 1


def test_a_job_that_a_failed_submission_has_queued_runs_as_any_other(project):
    farm(project)
    slow = 'echo "error: Socket timed out on send/recv operation" >&2; exit 1'
    project.write("bin/submit_job", SUBMIT.format(jobs=project.jobs) + slow, 0o755)
    project.runx("sweep.yml", status=3)
    assert job(project, 0).wait() == 0
    assert state(project) == "done"
    assert "1 done: starting 0" in project.runx("sweep.yml", "--resume").stderr


@pytest.mark.parametrize(("first", "code"), [("", 143), (DEAF, 137)])
def test_a_running_job_of_any_farm_ends_by_an_order(project, first, code):
    farm(project)
    project.write("train.py", WAITS.format(first=first))
    project.runx("sweep.yml")
    process = job(project, 0, RUNX_BEAT="0.3")
    [run] = project.runs()
    wait_until(lambda: "ready" in (run / "output.log").read_text(), process)
    project.runx("cancel", "sweep")
    assert process.wait(30) == code
    assert state(project) == "cancelled"


def wait_until(condition, process):
    deadline = time.monotonic() + 60
    while not holds(condition):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)


def holds(condition):
    try:
        return condition()
    except (FileNotFoundError, IndexError):
        return False


def test_a_run_here_that_ignores_term_is_killed_after_its_grace(project):
    project.write("train.py", WAITS.format(first=DEAF))
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    words = ["runx", "sweep.yml", "-i"]
    launcher = subprocess.Popen(words, cwd=project.path, env=project.environment)
    wait_until(lambda: "ready" in (project.runs()[0] / "output.log").read_text(), launcher)
    messages = []
    assert cancel([RunDir(project.runs()[0])], messages.append, pytest.fail, grace=0.2).done == 1
    assert messages == [f"{project.runs()[0].name}: has not heeded TERM; killed"]
    launcher.wait(60)
    assert state(project) == "cancelled"


def test_a_run_here_that_heeds_term_is_waited_for(project):
    project.write("train.py", WAITS.format(first=""))
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    words = ["runx", "sweep.yml", "-i"]
    launcher = subprocess.Popen(words, cwd=project.path, env=project.environment)
    wait_until(lambda: "ready" in (project.runs()[0] / "output.log").read_text(), launcher)
    project.runx("cancel", "sweep")
    assert state(project) == "cancelled"
    launcher.wait(60)


def test_runs_on_another_machine_are_ended_by_their_launcher_there(tmp_path, installed):
    if subprocess.run([*CONTAINER, "hostname", "probe"], capture_output=True).returncode:
        pytest.skip("only root may name hosts")
    sweep = Sweep(tmp_path / "project", installed, body="sleep 60")
    launcher = sweep.start("-i", "-j", "3", host="there", environment={"RUNX_BEAT": "0.2"})
    wait_until(lambda: sorted(sweep.told("begin")) == [0, 1, 2], launcher)
    wait_until(lambda: all(run.beat(1).exists() for run in sweep.runs()), launcher)
    message = sweep.command("cancel", "sweep", before=CONTAINER)
    assert message.count("runs on there; its launcher there is told by the order") == 3
    sweep.ended(launcher)
    assert sweep.states() == ["cancelled"] * 3
    sweep.clean()
