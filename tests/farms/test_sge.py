"""Grid Engine: how its answers are read, and a real one that takes runs."""

import pytest
from real_farms import (
    a_killed_launcher_leaves_every_run_once,
    an_array_above_the_largest_is_cut,
    eight_models_are_trained_and_ranked,
    four_fates_are_told_apart,
    hostile_values_come_out_of_each_job,
    it_goes_on_where_it_was,
    learns,
    long_ago,
    sweep,
)
from sites import Site, all_end, environment_of, running
from throwaway_sge import GridEngine, missing

from runx.farms import sge
from runx.processes import Finished

real = pytest.mark.sge
FARM = """\
FARM: sge
sge:
  TYPE: sge
  RESOURCES: {time: 10m}
"""


@pytest.fixture(scope="module")
def cluster():
    with running(GridEngine, missing()) as made:
        yield made


@pytest.fixture
def site(cluster, installed, tmp_path):
    environment = environment_of(installed, cluster.environment)
    return learns(Site(tmp_path / "project", environment, FARM, seconds=180))


def answered(output, status=0):
    return Finished((), status, output, "")


def test_the_last_record_of_a_job_counts():
    record = "=" * 62 + "\njobname  a\njobnumber 7\ntaskid {}\nfailed {}\nexit_status {}\n"
    text = record.format("2", "25  : rescheduling", "99") + record.format("2", "0", "0")
    assert sge.in_accounts(answered(text))["7.2"].state == "done"


def test_a_time_limit_is_told_from_a_kill():
    record = "=" * 62 + "\njobname a\njobnumber 7\ntaskid undefined\nfailed {}\nexit_status 137\n"
    limit = record.format("37  : qmaster enforced h_rt limit")
    assert sge.in_accounts(answered(limit))["7"].state == "timeout"
    killed = record.format("100 : assumedly after job")
    assert sge.in_accounts(answered(killed))["7"].state == "killed"


@real
def test_eight_models_are_ranked(site):
    eight_models_are_trained_and_ranked(site, "ARRAY: true\n")


@real
def test_fates(site):
    four_fates_are_told_apart(site, "5s")


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
def test_an_array_task_that_asks_for_it_goes_on(site):
    it_goes_on_where_it_was(site, "ARRAY: true\nREQUEUE: true\n")


@real
def test_a_warned_run_goes_on_where_it_was(site):
    text = "HPARAMS: {epochs: 20, pause: 1}\nREQUEUE: {max: 3, signal: USR1@10}\n"
    site.runx(sweep(site, "warned", text + "RESOURCES: {time: 20s}\n"))
    site.done("warned", 1)
    [run] = site.runs("warned")
    output = site.output(run)
    assert output.count("from epoch 0") == 1
    assert output.count("from epoch") > 1
    assert output.count("epoch 19 of attempt") == 1


@real
def test_a_dead_nodes_run_goes_on_when_it_is_back(site, cluster):
    site.runx(sweep(site, "node", "HPARAMS: {epochs: 12, pause: 0.5}\nREQUEUE: true\n"))
    [run] = site.runs("node")
    site.printed(run, "epoch 3 of attempt 1")
    cluster.end_node()
    long_ago(run)
    site.wait("node", lambda states: list(states.values()) == ["preempted"])
    cluster.start_node()
    site.done("node", 1)
    output = site.output(run)
    assert output.count("from epoch 0") == 1
    assert output.count("epoch 11 of attempt 2") == 1


@real
def test_what_waits_can_be_held_and_released(site, cluster):
    cluster.call("qmod", "-d", "main.q")
    try:
        site.runx(sweep(site, "held", "HPARAMS: {lr: [1, 2]}\n"))
        site.runx("hold", "held")
        assert "held" in site.runx("status", "held").stdout
        site.runx("release", "held")
        site.runx("cancel", "held")
    finally:
        cluster.call("qmod", "-e", "main.q")
    assert set(site.wait("held", all_end).values()) == {"cancelled"}
