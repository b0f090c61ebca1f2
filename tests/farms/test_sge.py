"""Grid Engine: how its answers are read, and a real one that takes runs."""

import json
import os
import subprocess
from types import SimpleNamespace

import pytest
from batched import farm_of
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


def test_an_id_among_other_numbers_of_a_site_is_not_guessed():
    job = SimpleNamespace(is_array=False)
    assert sge.job_ids("Welcome\n7\n", job) == ["7"]
    assert sge.job_ids("7\nhours left:\n4000\n", job) == []


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


LISTED = """<?xml version='1.0'?>
<job_info><queue_info><job_list state="running"><JB_job_number>7</JB_job_number>
<JB_name>a-name-of-</JB_name><state>dr</state><tasks>2</tasks>
<full_job_name>a-name-of-more-than-ten</full_job_name></job_list></queue_info>
<job_info><job_list state="pending"><JB_job_number>8</JB_job_number><JB_name>b</JB_name>
<state>hqw</state><predecessor_jobs_req>7</predecessor_jobs_req>
<predecessor_jobs>7</predecessor_jobs></job_list></job_info></job_info>
"""


def test_jobs_are_listed_with_their_full_names_and_why_they_wait():
    assert sge.in_queue(answered(LISTED)) == {
        "7.2": ("running", "it is being deleted", "a-name-of-more-than-ten", 1),
        "8": ("queued", "waits for job 7", "b", None),
    }


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("qw", "queued"),
        ("hqw", "queued"),
        ("hRwq", "queued"),
        ("Eqw", "queued"),
        ("dqw", "queued"),
        ("t", "running"),
        ("r", "running"),
        ("Rr", "running"),
        ("S", "running"),
        ("dr", "running"),
        ("dt", "running"),
        ("X", "unknown"),
        ("", "unknown"),
    ],
)
def test_each_state_is_one_of_ours_or_unknown(letters, state):
    text = LISTED.replace("<state>dr<", f"<state>{letters}<")
    assert sge.in_queue(answered(text))["7.2"].state == state


def test_only_a_cancel_of_what_has_ended_counts_as_done():
    gone = 'me has deleted job 3\ndenied: job "99" does not exist\n'
    assert sge.had_ended(answered(gone, 1))
    other = 'nobody - you do not have the necessary privileges to delete the job "2"\n'
    assert not sge.had_ended(answered(gone + other, 1))


def test_commands_go_to_the_cell_of_the_job():
    farm = farm_of("sge")
    farm = farm._replace(
        options=sge.FARM_TYPE.place("", {"SGE_CELL": "gpus", "SGE_ROOT": "/opt/sge"})
    )
    [[*words]] = sge.FARM_TYPE.cancel(["7.1", "8"], farm)
    assert words == ["env", "SGE_ROOT=/opt/sge", "SGE_CELL=gpus", "qdel", "7.1,8"]
    assert sge.FARM_TYPE.queries[0].command((), farm)[:4] == (*words[:3], "qstat")


@real
def test_jobs_of_others_are_seen(site, cluster):
    cluster.call("qmod", "-d", "main.q")
    try:
        site.runx(sweep(site, "theirs", "HPARAMS: {lr: [1, 2]}\nARRAY: true\n"))
        [first, second] = site.runs("theirs")
        address = json.loads((first / "attempts/1.job.json").read_text())
        words = sge.FARM_TYPE.queries[0].command((), farm_of("sge"))
        as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words)
        environment = {**os.environ, **cluster.environment}
        done = subprocess.run(as_nobody, env=environment, capture_output=True, text=True)
        seen = sge.in_queue(answered(done.stdout, done.returncode))
        assert seen[address["id"]][:3] == ("queued", "", address["name"])
        assert address["options"]["sge_root"] == cluster.environment["SGE_ROOT"]
        (second / "attempts/1.job.json").unlink()
        site.runx("theirs.yml", "--resume")
        assert json.loads((second / "attempts/1.job.json").read_text())["id"] != address["id"]
    finally:
        cluster.call("qmod", "-e", "main.q")
    site.done("theirs", 2)


@real
def test_a_job_in_error_says_so_and_is_cancelled(site, cluster):
    lines = '["#$ -w n", "#$ -i /nonexistent/x"]'
    site.runx(sweep(site, "error", f"HPARAMS: {{lr: 1}}\nDIRECTIVES: {lines}\n"))
    site.wait("error", lambda _: "in error: qstat -j" in site.runx("status", "error").stdout)
    site.runx("cancel", "error")
    assert list(site.wait("error", all_end).values()) == ["cancelled"]


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
