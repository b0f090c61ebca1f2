"""Steps, and several runs in a job, on farms that can't be had: before their strict stand-ins."""

import json
import subprocess

import pytest
from farm_steps import (
    a_pipeline_goes_through_in_order_and_goes_on_when_mended,
    a_step_of_a_job_of_its_own_is_refused,
    noted,
    several_runs_share_a_job,
    works,
)
from sites import Site, environment_of, installed_commands

COMMANDS = {
    "pbs": ("qsub", "qstat", "qdel"),
    "torque": ("qsub", "qstat", "qdel"),
    "moab": ("msub", "showq", "mjobctl"),
    "lsf": ("bsub", "bjobs", "bkill"),
    "condor": ("condor_submit", "condor_q", "condor_history", "condor_rm"),
    "kubernetes": ("kubectl",),
}
SECTIONS = {"kubernetes": "\n  RESOURCES: {image: torch}\n  VOLUME: logs"}


@pytest.fixture
def site(request, installed, tmp_path):
    farm = request.param
    bin_folder = installed_commands(tmp_path / "bin", COMMANDS[farm], farm)
    path = f"{bin_folder}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path, "RUNX_BEAT": "1"}
    section = f"FARM: {farm}\n{farm}:\n  TYPE: {farm}{SECTIONS.get(farm, '')}\n"
    made = works(Site(tmp_path / "project", environment, section))
    made.farm = farm
    return made


def asking(site):
    """Return a function that asks for all jobs, at which a stand-in starts what may start."""
    words = {
        "pbs": ["qstat", "-t", "-f"],
        "lsf": ["bjobs", "-u", "all", "-a", "-noheader", "-o", "jobid delimiter='|'"],
        "torque": ["qstat", "-f"],
        "moab": ["showq", "-c", "--xml"],
    }[site.farm]
    return lambda: subprocess.run(words, env=site.environment, capture_output=True).returncode * 0


def on(*farms):
    return pytest.mark.parametrize("site", farms, indirect=True)


@on("pbs", "lsf")
def test_a_pipeline(site):
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{cpus: 1}", "", asking(site))


@on("lsf")
def test_a_pipeline_of_arrays_waits_pair_by_pair(site):
    more = "ARRAY: true\n"
    a_pipeline_goes_through_in_order_and_goes_on_when_mended(site, "{cpus: 1}", more, asking(site))
    submitted = json.loads((site.path.parent / "jobs" / "submitted.json").read_text())
    assert any("[*]" in flags["-w"][0] for flags in submitted.values() if "-w" in flags)


@on("pbs", "lsf", "torque", "moab", "condor", "kubernetes")
def test_steps_of_one_job_run_in_turn(site):
    site.write(
        "one.yml",
        "STEPS:\n"
        '  train: {CMD: "python work.py {args}"}\n'
        '  eval: {CMD: "python work.py", AFTER: train}\n'
        "HPARAMS: {status: [0, 3]}\n",
    )
    site.runx("one.yml")
    states = site.wait("one", lambda states: set(states.values()) == {"done", "failed"})
    assert len(states) == 2
    assert [each["step"] for each in noted(site) if each["what"] == "begins"].count("eval") == 1


@on("pbs", "lsf", "torque", "moab", "kubernetes")
def test_runs_side_by_side(site):
    several_runs_share_a_job(site)


@on("kubernetes", "condor")
def test_a_step_of_a_job_of_its_own_is_refused(site):
    a_step_of_a_job_of_its_own_is_refused(site)


@on("pbs", "lsf", "torque", "moab")
def test_a_sweep_of_steps_after_another_waits_for_its_last_steps(site):
    site.write("one.yml", "CMD: python work.py\nHPARAMS: {status: 3, nap: 2}\n")
    site.runx("one.yml")
    site.write(
        "two.yml",
        "STEPS:\n"
        '  fetch: {CMD: "python work.py", PER: sweep, FARM: local}\n'
        '  train: {CMD: "python work.py {args}", AFTER: fetch}\n'
        "HPARAMS: {lr: [1, 2]}\nAFTER: {one: ended}\n",
    )
    site.runx("two.yml")
    advance = asking(site)
    site.wait("two", lambda states: advance() or set(states.values()) == {"done"})
    notes = [(each["step"], each["what"]) for each in noted(site)]
    assert notes.index(("fetch", "ends")) < notes.index(("train", "begins"))
    assert notes.index((None, "ends")) < notes.index(("train", "begins"))


@on("kubernetes")
def test_a_sweep_after_one_that_runs_is_refused_where_no_job_can_wait(site):
    site.write("one.yml", "CMD: python work.py\nHPARAMS: {nap: 300}\n")
    site.runx("one.yml")
    site.write("two.yml", "CMD: python work.py\nHPARAMS: {lr: 1}\nAFTER: one\n")
    assert "TYPE kubernetes can't wait for others" in site.runx("two.yml", status=2).stderr
    site.runx("cancel", "one")
    site.wait("one", lambda states: set(states.values()) == {"cancelled"})
