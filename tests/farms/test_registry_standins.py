"""Farms whose schedulers can't be had: each against a stand-in as strict as its manual."""

import pytest
from sites import (
    Site,
    a_sweep_of_training_runs_is_ranked_by_sumx,
    all_end,
    environment_of,
    hostile_values_come_out_as_they_went_in,
    installed_commands,
)

COMMANDS = {
    "pbs": ("qsub", "qstat", "qdel"),
    "torque": ("qsub", "qstat", "qdel"),
    "moab": ("msub", "showq", "mjobctl"),
    "lsf": ("bsub", "bjobs", "bkill"),
    "condor": ("condor_submit", "condor_q", "condor_history", "condor_rm"),
    "kubernetes": ("kubectl",),
}
SECTIONS = {
    "pbs": "RESOURCES: {gpus: 1, cpus: 2, mem: 4G, time: 1h, partition: gpu}",
    "torque": "RESOURCES: {gpus: 1, cpus: 2, mem: 4G, time: 1h, partition: gpu}",
    "moab": "RESOURCES: {gpus: 1, cpus: 2, mem: 4G, time: 1h, partition: gpu}",
    "lsf": "RESOURCES: {gpus: 1, cpus: 2, mem: 4G, time: 1h, partition: gpu}\n  REQUEUE: true",
    "condor": "RESOURCES: {gpus: 1, cpus: 2, mem: 4G, time: 1h}\n  REQUEUE: true",
    "kubernetes": "RESOURCES: {gpus: 1, image: torch, time: 1h}\n  VOLUME: logs\n  NAMESPACE: ml",
}


@pytest.fixture(params=sorted(COMMANDS))
def site(request, installed, tmp_path):
    farm = request.param
    bin_folder = installed_commands(tmp_path / "bin", COMMANDS[farm], farm)
    path = f"{bin_folder}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    section = f"FARM: {farm}\n{farm}:\n  TYPE: {farm}\n  {SECTIONS[farm]}\n"
    made = Site(tmp_path / "project", environment, section)
    made.farm = farm
    return made


def test_an_array_of_training_runs_is_done_and_ranked(site):
    done = a_sweep_of_training_runs_is_ranked_by_sumx(site, "ARRAY: true\n")
    assert "8" in done.stdout
    jobs = (site.path.parent / "jobs" / "jobs.json").read_text()
    assert jobs.count('"name"') == 1


def test_a_run_with_a_priority_is_taken(site):
    more = ["PRIORITY_CLASSES=low=-1"] if site.farm == "kubernetes" else []
    site.runx(site.sweep("late", "HPARAMS: {lr: 1}\n"), "PRIORITY=-10", *more)
    site.done("late", 1)


def test_what_a_scheduler_copies_at_the_end_replaces_no_output(site):
    site.runx(site.sweep("kept", "HPARAMS: {lr: 1}\n"))
    site.done("kept", 1)
    jobs = site.path.parent / "jobs"
    site.wait("kept", lambda _: list(jobs.glob("*.status")) or "kubernetes" in site.farm)
    [run] = site.runs("kept")
    assert "others []" in site.output(run)


def test_a_job_whose_id_was_lost_is_found_by_its_name(site):
    file = site.sweep("lost", "HPARAMS: {lr: [1, 2], nap: 2}\n")
    site.runx(file)
    (site.runs("lost")[0] / "attempts" / "1.job.json").unlink()
    site.runx(file, "--resume")
    site.done("lost", 2)
    assert {len(list(run.glob("attempts/*.claim"))) for run in site.runs("lost")} == {1}


def test_values_survive_one_by_one(site):
    hostile_values_come_out_as_they_went_in(site)


def test_failure_and_cancelling_are_told_apart(site):
    site.runx(site.sweep("fates", "HPARAMS:\n  - {status: 3}\n  - {nap: 300}\nARRAY: true\n"))
    [long] = [run.name for run in site.runs("fates") if "300" in (run / "hparams.json").read_text()]
    site.wait("fates", lambda states: states[long] == "running")
    site.runx("cancel", "fates", long)
    states = site.wait("fates", all_end)
    assert sorted(states.values()) == ["cancelled", "failed"]
    assert states[long] == "cancelled"


def test_resources_that_the_scheduler_refuses_leave_runs_planned_until_they_are_mended(site):
    # HTCondor warns of a command that it doesn't know, and takes the job.
    wrong = "constraint: '((('" if site.farm == "condor" else "frobnicate: 'a b'"
    file = site.sweep("no", f"HPARAMS: {{lr: [1, 2]}}\nRESOURCES: {{{wrong}}}\n")
    assert "--resume" in site.runx(file, status=3).stderr
    assert list(site.states("no").values()) == ["planned"] * 2
    site.sweep("no", "HPARAMS: {lr: [1, 2]}\n")
    site.runx(file, "--resume")
    site.done("no", 2)


@pytest.mark.parametrize("array", ["true", "false"])
def test_a_submission_that_fails_after_it_went_in_is_found_by_its_name(site, array):
    program = site.path.parent / "bin" / COMMANDS[site.farm][0]
    real = program.rename(program.with_name("real"))
    program.write_text(
        "#!/bin/bash\n"
        f'case {program.name}$* in kubectl*" get "*|kubectl*config*) exec {real} "$@" ;; esac\n'
        f'{real} "$@" >/dev/null || exit\necho "communication failure" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    file = site.sweep("lost", f"HPARAMS: {{lr: [1, 2], nap: 2}}\nARRAY: {array}\n")
    assert "although status 1: communication failure" in site.runx(file).stderr
    site.runx(file, "--resume")
    site.done("lost", 2)
    assert [site.output(run).count("from epoch 0") for run in site.runs("lost")] == [1, 1]
