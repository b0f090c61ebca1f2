"""Moab: how its answers are read, and a stand-in as strict as its manual."""

import json

import pytest
from batched import arrays_of
from real_farms import long_ago
from sites import Site, environment_of, installed_commands

from runx.farms import moab
from runx.processes import Finished

SECTION = "FARM: moab\nmoab:\n  RESOURCES: {cpus: 1, time: 1h}\n"


def listed(queue, **attributes):
    fields = "".join(f' {name}="{text}"' for name, text in attributes.items())
    job = f'<job JobID="Moab.5[3]" JobName="sweep"{fields}/>'
    return Finished((), 0, f'<Data><queue option="{queue}">{job}</queue></Data>', "")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Running", ("running", "")),
        ("Starting", ("running", "")),
        ("Suspended", ("running", "suspended")),
        ("Idle", ("queued", "")),
        ("Deferred", ("queued", "deferred")),
        ("Blocked", ("queued", "blocked")),
        ("Hold", ("queued", "held")),
        ("UserHold", ("queued", "held")),
        ("BatchHold", ("queued", "held")),
        ("Vanishing", ("unknown", "Vanishing")),
        ("", ("unknown", "")),
    ],
)
def test_each_state_of_moab_is_one_of_ours_or_unknown(word, status):
    assert moab.in_queue(listed("active", State=word))["Moab.5[3]"] == (*status, "sweep", 3)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("0", "done"),
        ("3", "failed"),
        ("137", "killed"),
        ("265", "killed"),
        ("271", "cancelled"),
        ("-11", "timeout"),
        ("CNCLD", "cancelled"),
        ("CNCLD(wclimit)", "timeout"),
        ("REMOVED", "unknown"),
    ],
)
def test_how_a_job_ended_is_told_by_its_completion_code(code, state):
    status = moab.completed(listed("completed", CompletionCode=code))["Moab.5[3]"]
    assert (status.state, status.name, status.task) == (state, "sweep", 3)


def test_an_array_is_given_its_indices():
    farm, [array] = arrays_of("moab", 3, array=True)
    assert "-V" in moab.submission(array, farm).words


@pytest.fixture
def site(installed, tmp_path):
    names = ("msub", "showq", "mjobctl")
    path = f"{installed_commands(tmp_path / 'bin', names, 'moab')}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    made = Site(tmp_path / "project", environment, SECTION)
    made.server = tmp_path / "jobs"
    made.server.mkdir()
    return made


def test_runs_of_an_array_whose_ids_were_lost_are_found_and_executed_once(site):
    (site.server / "closed").touch()
    file = site.sweep("lost", "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\n")
    site.runx(file)
    ids = {}
    for run in site.runs("lost"):
        address = run / "attempts" / "1.job.json"
        ids[run.name] = json.loads(address.read_text())["id"]
        address.unlink()
        long_ago(run)
    site.runx(file, "--resume")
    (site.server / "closed").unlink()
    site.done("lost", 3)
    for run in site.runs("lost"):
        assert site.output(run).count("others []") == 1
        assert json.loads((run / "attempts/1.job.json").read_text())["id"] == ids[run.name]


def test_what_waits_in_an_array_is_cancelled_alone(site):
    (site.server / "closed").touch()
    site.runx(site.sweep("some", "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\n"))
    names = [run.name for run in site.runs("some")]
    site.runx("cancel", "some", names[0], names[2])
    states = site.states("some")
    assert [states[name] for name in names] == ["cancelled", "queued", "cancelled"]
