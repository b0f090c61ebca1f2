"""Jobs of HTCondor that wait for others: what opens them, before a stand-in."""

import json
from threading import Thread

import pytest
from sites import Site, all_end, environment_of, installed_commands

from runx.farms.condor_after import open_when_done

COMMANDS = [f"condor_{name}" for name in ("submit", "q", "history", "rm", "qedit")]
THROTTLED = "ARRAY: true\nMAX_PARALLEL: 1\n"


@pytest.fixture
def site(installed, tmp_path, monkeypatch):
    folder = installed_commands(tmp_path / "bin", COMMANDS, "condor")
    path = f"{folder}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "pool")}
    (tmp_path / "pool").mkdir()
    for name, text in more.items():
        monkeypatch.setenv(name, text)
    environment = {**environment_of(installed, more), "PATH": path}
    made = Site(tmp_path / "project", environment, "FARM: condor\ncondor: {TYPE: condor}\n")
    made.pool = tmp_path / "pool"
    return made


def jobs_of(site, name):
    jobs = [json.loads((run / "attempts/1.job.json").read_text()) for run in site.runs(name)]
    return jobs[0]["name"], sorted(job["id"] for job in jobs)


def two(site, first, second="HPARAMS: {lr: [1, 2]}\n"):
    """Launch two experiments, the second after the first; return what waits, and for which jobs."""
    site.runx(site.sweep("first", first))
    ids = jobs_of(site, "first")[1]
    site.runx(site.sweep("second", second + THROTTLED), "--after", "first")
    assert site.runx("status", "second").stdout.count("waits for other jobs") == 2
    return jobs_of(site, "second")[0], ids


def test_jobs_start_when_those_before_them_are_done_not_sooner(site):
    (site.pool / "full").touch()
    name, ids = two(site, f"HPARAMS: {{lr: [1, 2, 3]}}\n{THROTTLED}")
    opener = Thread(target=open_when_done, args=(name, ids), kwargs={"poll": 0.1})
    opener.start()
    opener.join(3)
    assert opener.is_alive()
    assert set(site.states("second").values()) == {"queued"}
    (site.pool / "full").unlink()
    site.done("first", 3)
    opener.join(60)
    assert not opener.is_alive()
    site.done("second", 2)


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_jobs_after_one_that_is_not_done_are_removed_with_the_reason(site, how):
    hparams = "{status: 3}" if how == "failed" else "{nap: 100}"
    (site.pool / "full").touch()
    name, ids = two(site, f"HPARAMS: {hparams}\n")
    (site.pool / "full").unlink()
    if how == "cancelled":
        site.runx("cancel", "first")
    assert list(site.wait("first", all_end).values()) == [how]
    open_when_done(name, ids, poll=0.1)
    assert set(site.states("second").values()) == {"cancelled"}
    assert "which it waited for, is not done" in site.runx("status", "second").stdout


@pytest.mark.parametrize("is_earlier", [False, True])
def test_after_the_end_of_another_it_makes_no_difference_how_it_ended(site, is_earlier):
    (site.pool / "full").touch()
    name, [id] = two(site, "HPARAMS: {status: 3}\n")
    (site.pool / "full").unlink()
    site.wait("first", all_end)
    open_when_done(name, [], id if is_earlier else [id], poll=0.1)
    site.done("second", 2)


def test_a_schedd_that_is_down_is_asked_again(site):
    (site.pool / "full").touch()
    name, ids = two(site, "HPARAMS: {lr: 1}\n")
    (site.pool / "full").unlink()
    site.done("first", 1)
    (site.pool / "down").touch()
    opener = Thread(target=open_when_done, args=(name, ids), kwargs={"poll": 0.1})
    opener.start()
    opener.join(2)
    assert opener.is_alive()
    (site.pool / "down").unlink()
    opener.join(60)
    assert not opener.is_alive()
    site.done("second", 2)


def test_nothing_is_opened_where_the_jobs_that_wait_are_not_there(site):
    open_when_done("nosuch", ["7.0"], poll=0.1)
