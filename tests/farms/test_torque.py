"""Torque: how its answers are read, and Slurm's commands of its name, which take runs for real."""

import pytest
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    an_array_above_the_largest_is_cut,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    learns,
)
from sites import Site, environment_of, running
from throwaway_torque import Torque, missing

from runx.farms import torque
from runx.processes import Finished

real = pytest.mark.torque
FARM = """\
FARM: torque
torque:
  RESOURCES: {gpus: 1, cpus: 1, mem: 100M, time: 10m}
"""
QSTAT = """\
Job Id: 7[2].server
    Job_Name = sweep-2
    job_state = C
    exit_status = {}
    Variable_List = PBS_O_HOME=/home/me,
\tPBS_O_WORKDIR=/home/me

"""


@pytest.fixture(scope="module")
def cluster():
    with running(Torque, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    environment = environment_of(installed, cluster.environment)
    return learns(Site(tmp_path / "project", environment, FARM))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, "done"),
        (3, "failed"),
        (-11, "timeout"),
        (-10, "oom"),
        (271, "cancelled"),
        (265, "killed"),
    ],
)
def test_a_job_that_ended_is_told_by_its_status(status, state):
    statuses = torque.job_statuses(Finished((), 0, QSTAT.format(status), ""))
    assert statuses["7[2].server"].state == state
    assert statuses["7[2].server"].name == "sweep"


def test_slurms_qstat_which_knows_no_arrays_is_no_answer():
    assert torque.job_statuses(Finished((), 2, "", "Unknown option: t")) is None


@real
def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site, "ARRAY: true\n")


@real
def test_fates(site):
    four_fates_are_told_apart(site, "1m")


@real
def test_hostile_values(site):
    hostile_values_come_out_of_each_job(site)


@real
def test_a_large_array(site):
    an_array_above_the_largest_is_cut(site, 25, 3)


@real
def test_a_killed_launcher(site):
    a_killed_launcher_leaves_every_run_once(site)


@real
def test_what_waits_is_held_task_by_task(site):
    text = "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\nMAX_PARALLEL: 1\n"
    site.write("held.yml", f"CMD: python learn.py\n{text}DIRECTIVES: ['#SBATCH --begin=now+60']\n")
    site.runx("held.yml")
    [first, *_] = site.runs("held")
    site.runx("hold", "held", first.name)
    assert site.runx("status", "held").stdout.count("JobHeld") == 1
    site.runx("release", "held", first.name)
    site.runx("cancel", "held", first.name)
    states = site.states("held")
    assert states.pop(first.name) == "cancelled"
    assert set(states.values()) == {"queued"}
    site.runx("cancel", "held")
    assert set(site.states("held").values()) == {"cancelled"}
