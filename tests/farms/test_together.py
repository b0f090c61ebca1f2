"""Several attempts in one job, by its job script as bash executes it: what fails, first."""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project

from runx.farms.base import Farm, JobSpec
from runx.farms.jobs import job_arrays
from runx.farms.registry import farm_type_of
from runx.rundir.paths import RunDir

TRAIN = """\
import argparse, os, pathlib, signal, sys, time
flags = argparse.ArgumentParser()
for name in ("number", "status", "again", "nap"):
    flags.add_argument(f"--{name}", type=int, default=0)
args = flags.parse_args()
attempt = os.environ["RUNX_ATTEMPT"]
names = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "RUNX_TOGETHER")
print("begun", attempt, *(os.environ.get(name) for name in names), flush=True)
while args.nap and not pathlib.Path(os.environ["RUNX_PROJECT"], "go").exists():
    time.sleep(0.05)
sys.exit(75 if args.again and attempt == "1" else args.status)
"""
SBATCH = """#!/bin/bash
for word; do :; done
touch {folder}/jobs
[ ! -e {folder}/refuses ] || exit 1
echo "$word" >>{folder}/jobs
wc -l <{folder}/jobs
"""
SQUEUE = """#!/bin/bash
number=0
while read -r script; do
  name=$(grep -o '^# Job [^:]*' "$script")
  state=$(cat {folder}/state 2>/dev/null || echo RUNNING)
  echo "$((++number))|N/A|$state|None|${{name#\\# Job }}"
done <{folder}/jobs
"""


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.environment = {
        **installed,
        "PATH": f"{tmp_path}/bin:{installed['PATH']}",
        "RUNX_BEAT": "0.2",
    }
    project.write("train.py", TRAIN)
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE)):
        project.write(f"bin/{name}", text.format(folder=tmp_path), 0o755)
    project.write("bin/scancel", f"#!/bin/bash\necho scancel $* >>{tmp_path}/called\n", 0o755)
    scontrol = f'#!/bin/bash\n[ "$1" = show ] || echo scontrol $* >>{tmp_path}/called\n'
    project.write("bin/scontrol", scontrol, 0o755)
    project.write("bin/sacct", "#!/bin/bash\nexit 1\n", 0o755)
    return project


def launch(project, *hparams, more="", count=None, **settings):
    """Launch runs that share a job, one for each of ``hparams``; return them in that order."""
    count = count or len(hparams)
    farm = f"FARM: slurm\nslurm: {{RUNS_PER_JOB: {count}, RESOURCES: {{gpus: 1, cpus: 3}}}}\n"
    project.write(".runx", farm + more)
    points = "".join(
        f"  - {{number: {number}{''.join(f', {k}: {v}' for k, v in each.items())}}}\n"
        for number, each in enumerate(hparams)
    )
    project.write("sweep.yml", f"CMD: python train.py\nHPARAMS:\n{points}")
    project.runx("sweep.yml", **settings)
    return sorted(
        project.runs(), key=lambda run: json.loads((run / "hparams.json").read_text())["number"]
    )


def start(project, number=0, **environment):
    """Start a job as Slurm does."""
    script = (project.path / "jobs").read_text().split("\n")[number]
    return subprocess.Popen(
        ["bash", script],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={
            **project.environment,
            "SLURM_JOB_ID": str(number + 1),
            "CUDA_VISIBLE_DEVICES": "4,5,6,7",
            **environment,
        },
    )


def states(project):
    words = ("runx", "status", "sweep", "--json")
    done = subprocess.run(
        words, cwd=project.path, env=project.environment, capture_output=True, text=True
    )
    rows = json.loads(done.stdout)
    rows.sort(key=lambda row: row["hparams"]["number"])
    return [row["state"] for row in rows]


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lives(pid):
    """Return whether a process lives; where init reaps none, a dead one stays."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def output(run):
    return (run / "output.log").read_text() if (run / "output.log").exists() else ""


def called(project):
    file = project.path / "called"
    return file.read_text() if file.exists() else ""


def go(project):
    (project.path / "go").touch()


def say(project, state):
    (project.path / "state").write_text(state)


def test_each_run_has_gpus_an_output_and_a_state_of_its_own(project):
    runs = launch(project, {}, {"status": 3}, {"nap": 1})
    assert states(project) == ["queued"] * 3
    job = start(project)
    until(lambda: states(project) == ["done", "failed", "running"])
    go(project)
    assert job.wait() == 3
    say(project, "FAILED")
    assert states(project) == ["done", "failed", "done"]
    for number, run in enumerate(runs):
        assert f"begun 1 {4 + number} 3 None\n" in output(run)


def test_a_job_that_has_too_few_gpus_runs_nothing_and_says_why(project):
    runs = launch(project, {}, {})
    job = start(project, CUDA_VISIBLE_DEVICES="0")
    assert job.wait() == 70
    say(project, "FAILED")
    assert states(project) == ["failed"] * 2
    assert not any("begun" in output(run) for run in runs)


def test_where_nothing_says_which_gpus_a_job_has_they_are_numbered(project):
    runs = launch(project, {}, {})
    assert start(project, CUDA_VISIBLE_DEVICES="").wait() == 0
    assert ["begun 1 0" in output(runs[0]), "begun 1 1" in output(runs[1])] == [True, True]


def test_one_is_cancelled_by_an_order_and_the_others_go_on(project):
    runs = launch(project, {"nap": 1}, {"nap": 1})
    said = project.runx("cancel", "sweep", runs[1].name).stderr
    assert "1 told by an order, since other runs go on in their jobs" in said
    assert states(project) == ["queued", "cancelled"]
    job = start(project)
    until(lambda: "begun" in output(runs[0]))
    project.runx("cancel", "sweep", runs[0].name, status=1)
    assert called(project) == "scancel 1\n"  # The other is over: the job is this run's alone.
    job.terminate()
    assert job.wait() == 143
    say(project, "CANCELLED")
    assert states(project) == ["cancelled"] * 2
    assert "begun" not in output(runs[1])


def test_one_that_runs_ends_by_its_order(project):
    runs = launch(project, {"nap": 1}, {"nap": 1})
    job = start(project)
    until(lambda: states(project) == ["running"] * 2)
    project.runx("cancel", "sweep", runs[0].name)
    until(lambda: states(project) == ["cancelled", "running"])
    assert called(project) == ""
    go(project)
    job.wait()
    say(project, "FAILED")
    assert states(project) == ["cancelled", "done"]


def test_all_are_cancelled_by_the_scheduler_in_one_command(project):
    launch(project, {"nap": 1}, {"nap": 1})
    project.runx("cancel", "sweep")
    assert called(project) == "scancel 1\n"


def test_a_run_whose_run_sh_is_killed_is_over_and_nothing_of_it_goes_on(project):
    runs = launch(project, {"nap": 1}, {"nap": 1})
    job = start(project)
    until(lambda: states(project) == ["running"] * 2)
    events = [json.loads(line) for line in (runs[0] / "attempts/1.events.jsonl").open()]
    numbers = {event["event"]: event for event in events}
    os.kill(numbers["started"]["pid"], signal.SIGKILL)
    until(lambda: states(project) == ["killed", "running"])
    until(lambda: not lives(numbers["running"]["group"]))
    go(project)
    assert job.wait() == 137
    assert states(project) == ["killed", "done"]


def test_the_job_is_handed_back_after_its_last_run_and_then_executes_what_is_left(project):
    runs = launch(project, {}, {"status": 3}, {"again": 1}, {"nap": 1}, more="REQUEUE: {max: 2}\n")
    job = start(project)
    until(lambda: states(project) == ["done", "failed", "preempted", "running"])
    assert called(project) == ""
    go(project)
    job.wait()
    assert called(project) == "scontrol requeue 1\n"
    say(project, "PENDING")
    assert states(project) == ["done", "failed", "preempted", "done"]
    assert start(project).wait() == 0
    say(project, "COMPLETED")
    assert states(project) == ["done", "failed", "done", "done"]
    assert [output(run).count("begun") for run in runs] == [1, 1, 2, 1]


def test_a_signal_reaches_every_run(project):
    launch(project, {"nap": 1}, {"nap": 1})
    job = start(project)
    until(lambda: states(project) == ["running"] * 2)
    job.terminate()
    assert job.wait() == 143
    say(project, "TIMEOUT")
    assert states(project) == ["timeout"] * 2


def test_the_word_about_the_job_does_not_change_how_a_run_had_ended(project):
    launch(project, {"status": 3}, {"nap": 1})
    job = start(project)
    until(lambda: states(project) == ["failed", "running"])
    job.terminate()
    job.wait()
    for word, state in (
        ("TIMEOUT", "timeout"),
        ("PREEMPTED", "preempted"),
        ("PENDING", "preempted"),
    ):
        say(project, word)
        assert states(project) == ["failed", state]


def test_what_never_began_in_a_job_that_is_over_is_lost_and_starts_again(project):
    launch(project, {}, {})
    say(project, "COMPLETED")
    assert states(project) == ["lost"] * 2
    assert "2 lost: starting 2" in project.runx("sweep.yml", "--resume").stderr


def test_one_of_several_is_not_held_alone(project):
    runs = launch(project, {}, {})
    say(project, "PENDING")
    said = project.runx("hold", "sweep", runs[0].name, status=1).stderr
    assert f"its job executes {runs[1].name}, too: hold all of its runs, or none" in said
    project.runx("hold", "sweep")
    assert called(project) == "scontrol hold 1\n"


def test_one_step_is_held_and_released_unless_its_job_executes_others(project):
    project.write(".runx", "FARM: slurm\nslurm: {RESOURCES: {cpus: 1}}\n")
    alone = "{CMD: 'true', AFTER: train, RESOURCES: {cpus: 2}}"
    project.write(
        "sweep.yml",
        "STEPS:\n  train: {CMD: 'python train.py --number {number}'}\n"
        f"  test: {{CMD: 'true', AFTER: train}}\n  eval: {alone}\nHPARAMS: {{number: 1}}\n",
    )
    project.runx("sweep.yml")
    say(project, "PENDING")
    for verb in ("hold", "release"):
        said = project.runx(verb, "sweep", "--step", "evil", status=2).stderr
        assert "--step evil: did you mean eval?" in said
        said = project.runx(verb, "sweep", "--step", "train", status=1).stderr
        assert f"/steps/test, too: {verb} all of its runs, or none" in said
        assert not (project.path / "called").exists()
        project.runx(verb, "sweep", "--step", "eval")
        assert called(project) == f"scontrol {verb} 2\n"
        (project.path / "called").unlink()


def test_a_job_whose_id_was_lost_is_found_for_all_its_runs(project):
    runs = launch(project, {}, {})
    say(project, "PENDING")
    for run in runs:
        (run / "attempts/1.job.json").unlink()
    assert states(project) == ["queued"] * 2
    jobs = [json.loads((run / "attempts/1.job.json").read_text()) for run in runs]
    assert {(job["id"], job["shares"]) for job in jobs} == {("1", True)}


def test_a_refusal_leaves_all_planned_and_resume_starts_them_together(project):
    project.write("refuses", "")
    launch(project, {}, {}, status=3)
    assert states(project) == ["planned"] * 2
    (project.path / "refuses").unlink()
    project.runx("sweep.yml", "--resume")
    assert start(project).wait() == 0
    assert states(project) == ["done"] * 2


def test_here_it_is_refused(project):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {number: 1}\nRUNS_PER_JOB: 2\n")
    assert "sweep.yml:3: RUNS_PER_JOB: -j says" in project.runx("sweep.yml", "-i", status=2).stderr


# ---- In turn.


def chain(project, runs, requeue=""):
    """Write the script of a job that executes attempts of runs in turn; return its path."""
    first, *others = [JobSpec(run.name, "sweep", run.name, "", RunDir(run), 1, ()) for run in runs]
    job = replace(first, then=tuple(others))
    farm_type = farm_type_of("slurm")
    [array] = job_arrays([job], Farm("slurm", type="slurm"), farm_type, runs[0] / "jobs", 10)
    farm = Farm("slurm", type="slurm", requeue=requeue or None)
    script = project.path / "chain.sh"
    script.write_text(farm_type.script(array, farm))
    (project.path / "jobs").write_text(f"{script}\n")
    return script


def test_steps_of_a_job_run_in_turn_and_what_is_done_is_passed_over(project):
    runs = launch(project, {}, {"nap": 1}, {})
    chain(project, runs)
    job = start(project)
    until(lambda: "begun" in output(runs[1]))
    assert "begun" in output(runs[0])
    assert "begun" not in output(runs[2])
    job.terminate()
    assert job.wait() == 143
    # What had not begun does not, and the next start of the job goes on.
    assert "begun" not in output(runs[2])
    go(project)
    assert start(project).wait() == 0
    assert [output(run).count("begun") for run in runs] == [1, 2, 1]
