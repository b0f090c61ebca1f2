"""OpenPBS: what real ones answered is read rightly, and a stand-in that answers so."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from batched import arrays_of
from real_farms import long_ago
from sites import STANDINS, Site, all_end, environment_of, installed_commands

from runx.errors import FarmError
from runx.farms import pbs, qstat
from runx.farms.base import Farm, Wait
from runx.processes import Finished

ANSWERS = Path(__file__).resolve().parents[1] / "support" / "answers" / "openpbs"
FARM = Farm("cluster", type="pbs")
SECTION = "FARM: pbs\npbs:\n  RESOURCES: {cpus: 1, time: 1h}\n"


def calls(scenario, note=None):
    every = json.loads((ANSWERS / f"{scenario}.json").read_text())["calls"]
    return [call for call in every if note is None or note in call["note"]]


def read(call):
    words = tuple(call["argv"])
    return qstat.job_statuses(Finished(words, call["rc"], call["stdout"], call["stderr"]))


ENDED_JOBS = {
    "3.node1": ("done", ""),
    "4.node1": ("failed", "exit status 3"),
    "5.node1": ("killed", "by signal 9"),
    "6.node1": ("killed", "by signal 15"),
    "7.node1": ("timeout", ""),
    "8.node1": ("cancelled", ""),
    "9.node1": ("cancelled", ""),
}
WAITS = "waits for afterok:22.node1@node1"
NEVER = "Can Never Run: Insufficient amount of resource: ncpus (R: 512 A: 4 T: 4)"
HELD = "held, Job held by me on Sat Nov 28 13:14:06 2026"
GONE = ("gone", "it has ended; no history is kept that says how")
BEHIND = "its dependency failed"
READ = [
    ("single-job", "in this order", ENDED_JOBS),
    ("single-job", "queued (scheduling", {"3.node1": ("queued", "")}),
    ("single-job", "running", {"3.node1": ("running", "")}),
    ("single-job", "one over, one unknown", {"3.node1": ("done", "")}),
    ("array-queued", "queued, text", {"10[2].node1": ("queued", "")}),
    (
        "array-running",
        "without -x",
        {
            "10[0].node1": ("done", ""),
            "10[1].node1": ("failed", "exit status 3"),
            "10[2].node1": ("running", ""),
        },
    ),
    (
        "array-ended",
        "array over",
        {
            "10[0].node1": ("done", ""),
            "10[1].node1": ("failed", "exit status 3"),
            "10[2].node1": ("killed", "by signal 9"),
            "10[3].node1": ("timeout", ""),
        },
    ),
    ("history-off", "running, without -x", {"57.node1": ("running", "")}),
    (
        "history-off-array",
        "of the three that are over",
        {"99[0].node1": GONE, "99[1].node1": GONE, "99[3].node1": ("running", "")},
    ),
    (
        "history-off-dependencies",
        "one live, one forgotten",
        {"95[0].node1": GONE, "95[1].node1": ("running", "")},
    ),
    ("delete-running", "Exit_status of a deleted", {"81[2].node1": ("cancelled", "")}),
    ("delete-running", "over 24 s after qdel", {"82.node1": ("cancelled", "")}),
    (
        "delete-subjobs",
        "qstat of a range",
        {"11[1].node1": ("running", ""), "11[3].node1": ("cancelled", "")},
    ),
    ("dependencies", "waits", {"23.node1": ("queued", WAITS)}),
    (
        "dependencies",
        "afterok of a job that failed",
        {"25.node1": ("cancelled", BEHIND)},
    ),
    ("dependencies-late", "behind an unknown", {"88.node1": ("cancelled", BEHIND)}),
    ("hold-release", "the array is held", {"39[1].node1": ("queued", HELD)}),
    ("hold-release", "after qhold of a running job", {"38.node1": ("running", "")}),
]


@pytest.mark.parametrize(("scenario", "note", "told"), READ)
def test_what_a_real_server_answered_is_read_rightly(scenario, note, told):
    answered = [call for call in calls(scenario, note) if "-f" in call["argv"] and call["stdout"]]
    statuses = read(answered[0])
    assert {job: statuses[job][:2] for job in told} == told


def test_the_job_that_can_never_run_says_so():
    [call] = [call for call in calls("refused") if call["argv"][-1] == "46.node1"]
    assert read(call)["46.node1"][:2] == ("queued", NEVER)


@pytest.mark.parametrize("call", [c for c in calls("history-off") if "-x" in c["argv"]])
def test_a_server_without_history_gives_no_answer_to_x(call):
    assert read(call) is None


def test_every_recorded_answer_is_read_without_a_state_that_nobody_knows():
    for file in ANSWERS.glob("*.json"):
        for call in calls(file.stem):
            if call["argv"][0] == "qstat" and "-f" in call["argv"]:
                for status in (read(call) or {}).values():
                    assert status.state != "unknown", (file, call["argv"])


@pytest.mark.parametrize("call", calls("server-down"))
def test_a_server_that_is_down_gives_no_answer(call):
    assert read(call) is None
    assert pbs.job_ids(call["stdout"], arrays_of("pbs")[1][0]) == []


@pytest.mark.parametrize("call", [c for c in calls("refused") if c["argv"][0] == "qsub"])
def test_the_id_of_a_submission_is_read_and_a_refusal_has_none(call):
    _, [array] = arrays_of("pbs")
    assert bool(pbs.job_ids(call["stdout"], array)) is (call["rc"] == 0)


def test_the_first_job_of_a_server_is_number_0():
    _, [array] = arrays_of("pbs")
    assert pbs.job_ids("0.node1\n", array) == ["0.node1"]


def test_the_largest_array_is_read():
    [call] = [call for call in calls("refused") if "max_array_size" in call["argv"][-1]]
    assert pbs.largest_array(call["stdout"]) == 5
    assert pbs.FARM_TYPE.limit.command == tuple(call["argv"])


def test_a_state_that_no_table_has_is_told_as_such():
    answer = "Job Id: 1.s\n    Job_Name = a\n    job_state = M\n\n"
    assert qstat.job_statuses(Finished((), 0, answer, ""))["1.s"][:2] == ("unknown", "M")


def test_the_stand_in_for_qdel_drops_as_many_as_the_real_one_did(monkeypatch):
    monkeypatch.syspath_prepend(STANDINS)
    monkeypatch.setenv("STANDIN", os.devnull)
    import pbs as standin

    try:
        for call in calls("delete-scattered"):
            ids = [word.partition(".")[0] for word in call["argv"][1:]]
            if call["argv"][0] != "qdel" or len({id.partition("[")[0] for id in ids}) > 1:
                continue
            gone = json.loads(call["note"].partition("gone: ")[2].partition(";")[0] or "null")
            if gone and "of its own" not in call["note"]:
                kept = standin.kept([id.partition("[")[2].rstrip("]") for id in ids])
                assert len(kept) == len(gone), call["argv"]
    finally:
        del sys.modules["pbs"], sys.modules["standin"]


def test_no_command_deletes_more_than_one_range_of_an_array():
    ids = [f"61[{index}].node1" for index in (8, 0, 5, 6, 9)] + ["4.node1", "7[].node1"]
    assert pbs.delete(ids, FARM) == [
        ("qdel", "4.node1", "7[].node1"),
        ("qdel", "61[0].node1"),
        ("qdel", "61[5-6].node1"),
        ("qdel", "61[8-9].node1"),
    ]


def test_a_part_of_an_array_is_not_held_and_it_is_said():
    for commands in (pbs.FARM_TYPE.hold, pbs.FARM_TYPE.release):
        with pytest.raises(FarmError, match=r"a part of an array.*name all runs of 39\[\].node1"):
            commands(["38.node1", "39[1].node1"], FARM)


def test_one_waits_for_arrays_not_for_their_subjobs():
    _, [array] = arrays_of("pbs")
    array = replace(array, waits=tuple(map(Wait, ("32[0].node1", "32[1].node1", "22.node1"))))
    assert "depend=afterok:32[].node1:22.node1" in pbs.submission(array, FARM).words


@pytest.fixture
def site(installed, tmp_path):
    names = ("qsub", "qstat", "qdel", "qhold", "qrls")
    path = f"{installed_commands(tmp_path / 'bin', names, 'pbs')}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "jobs")}
    environment = {**environment_of(installed, more), "PATH": path}
    made = Site(tmp_path / "project", environment, SECTION)
    made.server = tmp_path / "jobs"
    made.server.mkdir()
    return made


def indices(site, name, state):
    """Return the indices in their array of the runs of a state."""
    jobs = {run.name: run / "attempts" / "1.job.json" for run in site.runs(name)}
    found = [run for run, each in site.states(name).items() if each == state]
    ids = [json.loads(jobs[run].read_text())["id"] for run in found]
    return sorted(int(id.partition("[")[2].partition("]")[0]) for id in ids)


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("array", ["true", "false"])
def test_runs_that_wait_long_are_executed_once_with_history_or_without(site, history, array):
    (site.server / "closed").touch()
    if not history:
        (site.server / "history-off").touch()
    file = site.sweep("live", f"HPARAMS: {{lr: [1, 2, 3]}}\nARRAY: {array}\n")
    site.runx(file)
    for run in site.runs("live"):
        long_ago(run)
    assert set(site.states("live").values()) == {"queued"}
    assert "can't be asked" not in site.runx("status", "live").stderr
    site.runx(file, "--resume")
    (site.server / "closed").unlink()
    site.done("live", 3)
    assert {site.output(run).count("others []") for run in site.runs("live")} == {1}


def test_a_job_whose_id_was_lost_is_found_where_no_history_is_kept(site):
    (site.server / "history-off").touch()
    file = site.sweep("lost", "HPARAMS: {lr: [1, 2], nap: 3}\nARRAY: true\n")
    site.runx(file)
    for run in site.runs("lost"):
        (run / "attempts" / "1.job.json").unlink()
    site.runx(file, "--resume")
    site.done("lost", 2)
    assert {len(list(run.glob("attempts/*.claim"))) for run in site.runs("lost")} == {1}


def test_a_run_that_its_administrator_deleted_is_lost_where_no_history_is_kept(site):
    for name in ("closed", "history-off"):
        (site.server / name).touch()
    file = site.sweep("deleted", "HPARAMS: {lr: 1}\n")
    site.runx(file)
    [run] = site.runs("deleted")
    job = json.loads((run / "attempts" / "1.job.json").read_text())["id"]
    subprocess.run([site.server.parent / "bin" / "qdel", job], env=site.environment, check=True)
    long_ago(run)
    assert list(site.states("deleted").values()) == ["lost"]
    (site.server / "closed").unlink()
    site.runx(file, "--resume")
    site.done("deleted", 1)


def test_scattered_runs_that_wait_are_all_cancelled(site):
    (site.server / "closed").touch()
    site.runx(site.sweep("scattered", "HPARAMS: {lr: [0, 1, 2, 3, 4, 5, 6, 7]}\nARRAY: true\n"))
    by_lr = {
        json.loads((run / "hparams.json").read_text())["lr"]: run.name
        for run in site.runs("scattered")
    }
    site.runx("cancel", "scattered", *(by_lr[lr] for lr in (0, 2, 4, 5, 7)))
    assert indices(site, "scattered", "queued") == [1, 3, 6]
    (site.server / "closed").unlink()
    site.wait("scattered", all_end)
    assert len([run for run in site.runs("scattered") if "others" in site.output(run)]) == 3


def test_an_array_is_held_and_released_as_a_whole(site):
    (site.server / "closed").touch()
    site.runx(site.sweep("held", "HPARAMS: {lr: [1, 2, 3]}\nARRAY: true\n"))
    first = site.runs("held")[0].name
    message = site.runx("hold", "held", first, status=(1, 3)).stderr
    assert "PBS can't hold a part of an array" in message
    site.runx("hold", "held")
    assert site.runx("status", "held").stdout.count("queued (held") >= 1
    site.runx("release", "held")
    assert "held" not in site.runx("status", "held").stdout.replace("held/", "")
    (site.server / "closed").unlink()
    site.done("held", 3)


def test_what_waits_for_an_array_starts_when_all_of_it_is_done(site):
    (site.server / "closed").touch()
    site.runx(site.sweep("first", "HPARAMS: {lr: [1, 2]}\nARRAY: true\n"))
    site.runx(site.sweep("second", "HPARAMS: {lr: 1}\n"), "--after", "first")
    assert "waits for afterok" in site.runx("status", "second").stdout
    (site.server / "closed").unlink()
    site.done("second", 1)


def test_what_waited_for_a_run_that_failed_says_so(site):
    site.runx(site.sweep("first", "HPARAMS: {status: 3, nap: 2}\n"))
    site.runx(site.sweep("second", "HPARAMS: {lr: 1}\n"), "--after", "first")
    site.wait("second", all_end)
    assert list(site.states("second").values()) == ["cancelled"]
    shown = site.runx("status", "second", "--json", status=(0, 1)).stdout
    [run] = site.runs("first")
    assert json.loads(shown)[0]["reason"] == f"its dependency first/{run.name} failed"
