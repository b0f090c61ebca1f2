"""OAR: how its answers are read, and a real one that takes runs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from batched import arrays_of, specs
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
from sites import Site, all_end, job_of, running
from throwaway_oar import Oar, missing

from runx.errors import SettingsError
from runx.farms import oar
from runx.processes import Finished
from runx.rundir.paths import ExperimentDir
from runx.sweeps.values import Hparam

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


def test_a_state_that_no_table_has_is_told_as_such():
    assert status_of(state="toPonder") == ("unknown", "toPonder")


def test_why_a_job_waits_is_told_where_oar_says_it():
    usual = "R=4,W=0:1:0,J=B,N=a (Karma=0.000,quota_ok)"
    assert status_of(state="Waiting", message=usual) == ("queued", "")
    assert status_of(state="Waiting", message="no fit") == ("queued", "no fit")
    assert status_of(state="Hold") == ("queued", "held")
    assert status_of(state="Running", events=events("FRAG_JOB_REQUEST")) == (
        "running",
        "it is being ended",
    )


def test_a_job_that_oar_submits_again_is_preempted_and_followed():
    killed = events("BESTEFFORT_KILL", "FRAG_JOB_REQUEST", "SWITCH_INTO_ERROR_STATE")
    again = [*killed, *events("RESUBMIT_JOB_AUTOMATICALLY")]
    assert status_of(events=killed)[0] == "killed"
    assert status_of(events=again)[0] == "preempted"
    jobs = {
        "7": {"state": "Error", "events": again, "array_id": 7, "array_index": 1, "name": "x"},
        "9": {"state": "Waiting", "resubmit_job_id": 7, "array_id": 7, "array_index": 1},
    }
    told = oar.job_statuses(Finished((), 0, json.dumps(jobs), ""))
    assert {id: (status.state, status.task) for id, status in told.items()} == {
        "7": ("queued", None)
    }


def test_an_array_of_somebody_else_is_told_from_single_jobs():
    """What was asked for is shown to its owner alone."""
    jobs = {
        str(id): {"state": "Waiting", "array_id": 7, "array_index": id - 6, "initial_request": ""}
        for id in (7, 8)
    }
    told = oar.job_statuses(Finished((), 0, json.dumps(jobs), ""))
    assert [told[id].task for id in ("7", "8")] == [0, 1]


def test_directives_are_scanned_where_oarsub_can_read_the_script():
    home = ExperimentDir(Path("/l/sweep"))
    farm, [array] = arrays_of("oar", jobs=specs("oar", home=home), directives=("#OAR -k",))
    plain = replace(array, folder=Path("/l/sweep/jobs"))
    assert oar.submission(plain, farm).words[-2:] == ("-S", "/l/sweep/jobs/0.sh")
    with pytest.raises(SettingsError, match="DIRECTIVES: oarsub can't scan"):
        oar.submission(array, farm)
    without = farm._replace(directives=("module load cuda",))
    assert "-S" not in oar.submission(array, without).words


def test_several_types_are_several_options():
    types = Hparam("t", ("besteffort", "idempotent"), ("besteffort", "idempotent"))
    farm, [array] = arrays_of("oar", 1, [types])
    assert " -t besteffort -t idempotent " in " ".join(oar.submission(array, farm).words)


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


def shown(cluster, job):
    answer = cluster.call("oarstat", "-f", "-J", "--sql", f"job_id = {job}")
    return json.loads(answer)[job]


@real
def test_directives_reach_the_scheduler(site, cluster):
    lines = '["#OAR --project vision", "#OAR -t besteffort", "#OAR -n other"]'
    site.runx(sweep(site, "told", f"HPARAMS: {{lr: [1, 2]}}\nDIRECTIVES: {lines}\nARRAY: true\n"))
    jobs = [shown(cluster, job_of(run)) for run in site.runs("told")]
    assert {(job["project"], *job["types"]) for job in jobs} == {("vision", "besteffort")}
    assert all(job["name"].startswith("told_") for job in jobs)
    site.done("told", 2)


@real
def test_a_besteffort_run_that_oar_submits_again_is_neither_doubled_nor_lost(site, cluster):
    types = "RESOURCES: {t: [besteffort, idempotent], cpus: 4}\n"
    file = sweep(site, "yields", f"HPARAMS: {{epochs: 40, pause: 0.5}}\n{types}")
    site.runx(file)
    [run] = site.runs("yields")
    site.printed(run, "from epoch 0")
    site.runx(sweep(site, "wins", "HPARAMS: {epochs: 8, pause: 1}\nRESOURCES: {cpus: 4}\n"))
    site.wait("wins", lambda states: list(states.values()) == ["running"])
    long_ago(run)
    assert list(site.states("yields").values()) == ["preempted"]
    site.runx(file, "--resume")
    site.done("wins", 1)
    site.done("yields", 1)
    assert site.output(run).count("from epoch 0") == 1
    assert site.output(run).count("epoch 39 of attempt 2") == 1
    assert not (run / "attempts" / "3.claim").exists()


@real
def test_a_run_whose_job_id_was_lost_is_found_among_all_users_jobs(site, cluster):
    cluster.call("oarnodesetting", "-s", "Absent", "-h", "127.0.0.1")
    try:
        file = sweep(site, "lost", "HPARAMS: {lr: [1, 2]}\nARRAY: true\n")
        site.runx(file)
        before = {job_of(run) for run in site.runs("lost")}
        for run in site.runs("lost"):
            (run / "attempts" / "1.job.json").unlink()
        site.runx(file, "--resume")
        assert {job_of(run) for run in site.runs("lost")} == before
    finally:
        cluster.call("oarnodesetting", "-s", "Alive", "-h", "127.0.0.1")
    site.done("lost", 2)
