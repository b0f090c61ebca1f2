"""OAR: how its answers are read, and a real one that takes runs."""

import json

import pytest
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    it_goes_on_where_it_was,
    learns,
    long_ago,
    sweep,
)
from sites import Site, all_end, running
from throwaway_oar import Oar, missing

from runx.farms import oar
from runx.processes import Finished

real = pytest.mark.oar
SETTINGS = """\
LOGROOT: {0}/logs
PYTHONPATH: LOGDIR/code
FARM: oar
oar:
  TYPE: oar
  RESOURCES: {{cpus: 1, time: 10m}}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(Oar, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, tmp_path):
    folder = cluster.folder / "home" / tmp_path.name
    made = learns(Site(folder, cluster.environment, "", seconds=180))
    made.write(".runx", SETTINGS.format(folder))
    folder.chmod(0o777)
    return made


def status_of(**job):
    jobs = {"7": {"state": "Error", "exit_code": None, "events": [], "name": "x", **job}}
    return oar.job_statuses(Finished((), 0, json.dumps(jobs), ""))["7"][:2]


def events(*kinds):
    return [{"type": kind, "description": kind.lower()} for kind in kinds]


def test_the_status_of_an_error_is_that_of_its_events():
    assert status_of(events=events("FRAG_JOB_REQUEST", "WALLTIME"))[0] == "timeout"
    assert status_of(events=events("FRAG_JOB_REQUEST", "SEND_KILL_JOB"))[0] == "cancelled"
    assert status_of(events=events("FRAG_JOB_REQUEST", "EXTERMINATE_JOB")) == (
        "lost",
        "exterminate_job",
    )
    assert status_of(events=[]) == ("lost", "in Error")


def test_an_exit_status_is_the_one_of_wait():
    assert status_of(state="Terminated", exit_code=768) == ("failed", "exit status 3")
    assert status_of(state="Terminated", exit_code=10) == ("killed", "by signal 10")


@real
def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site, "ARRAY: true\n")


@real
def test_fates(site):
    four_fates_are_told_apart(site, "20s")


@real
def test_hostile_values(site):
    hostile_values_come_out_of_each_job(site)


@real
def test_a_killed_launcher(site):
    a_killed_launcher_leaves_every_run_once(site, 6)


@real
def test_a_run_goes_on_in_another_job_and_can_still_be_cancelled(site):
    """All at once, since OAR runs nothing again that has not taken a minute."""
    requeue = "REQUEUE: {max: 3, signal: USR1@20}\n"
    limit = "RESOURCES: {time: 75s}\n"
    site.runx(sweep(site, "warned", f"HPARAMS: {{epochs: 75, pause: 1}}\n{requeue}{limit}"))
    site.runx(sweep(site, "over", f"HPARAMS: {{epochs: 999, pause: 1, again: 2}}\n{requeue}"))
    it_goes_on_where_it_was(site, requeue)
    [over] = site.runs("over")
    site.printed(over, "of attempt 2")
    site.runx("cancel", "over")
    assert list(site.wait("over", all_end).values()) == ["cancelled"]
    site.done("warned", 1)
    [warned] = site.runs("warned")
    output = site.output(warned)
    assert output.count("from epoch 0") == 1
    assert output.count("from epoch") == 2
    assert output.count("epoch 74 of attempt 2") == 1


@real
def test_what_waits_can_be_held_and_released(site, cluster):
    cluster.call("oarnodesetting", "-s", "Absent", "-h", "127.0.0.1")
    try:
        site.runx(sweep(site, "held", "HPARAMS: {lr: [1, 2]}\n"))
        site.runx("hold", "held")
        site.wait("held", lambda _: "held" in site.runx("status", "held").stdout)
        site.runx("release", "held")
        site.runx("cancel", "held")
    finally:
        cluster.call("oarnodesetting", "-s", "Alive", "-h", "127.0.0.1")
    assert set(site.wait("held", all_end).values()) == {"cancelled"}


@real
def test_a_run_on_a_dead_node_is_lost(site, cluster):
    cluster.start_node("127.0.0.2")
    cluster.add_core(99, "127.0.0.2")
    text = "HPARAMS: {epochs: 999, pause: 1}\nRESOURCES: {constraint: core=99}\n"
    site.runx(sweep(site, "node", text))
    site.wait("node", lambda states: list(states.values()) == ["running"])
    [run] = site.runs("node")
    site.printed(run, "from epoch 0")
    cluster.end_node("127.0.0.2")
    long_ago(run)
    assert list(site.wait("node", all_end).values()) == ["lost"]
