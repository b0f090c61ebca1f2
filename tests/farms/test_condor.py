"""HTCondor: what real ones answered is read rightly, and a stand-in that answers so."""

import json
from pathlib import Path

import pytest
from batched import arrays_of
from real_farms import long_ago
from sites import Site, all_end, environment_of, installed_commands

from runx.farms import condor, condor_status
from runx.farms.base import Farm
from runx.processes import Finished
from runx.sweeps.values import Hparam

ANSWERS = Path(__file__).resolve().parents[1] / "support" / "answers" / "htcondor"
FARM = Farm("pool", type="condor", options={"schedd": "node1"})
SECTION = "FARM: condor\ncondor:\n  RESOURCES: {cpus: 1, time: 1h}\n"
THROTTLED = "ARRAY: true\nMAX_PARALLEL: 2\n"
WAITS = ("queued", "waits for its turn")
HELD_BY = ("queued", "held: via condor_hold (by user me)")


def calls(scenario, *words):
    """Return the calls of a scenario that have these words, as the recorder made them."""
    every = json.loads((ANSWERS / f"{scenario}.json").read_text())["calls"]
    return [call for call in every if {*words} <= {*call["argv"]}]


def read(call):
    finished = Finished(tuple(call["argv"]), call["rc"], call["stdout"], call["stderr"])
    return condor_status.job_statuses(finished, in_queue=call["argv"][0] == "condor_q")


def told(statuses):
    return {id: status[:2] for id, status in statuses.items()}


ENDED = {
    "42.0": ("done", ""),
    "42.1": ("failed", "exit status 3"),
    "42.2": ("killed", "by signal 9"),
    "42.3": ("killed", "by signal 15"),
    "42.4": ("cancelled", ""),
}
NO_SHELL = (
    "held: Error from slot1_1@node1: Failed to execute '/home/me/project/script-noexec' with"
    " arguments /home/me/project/r-x/run.sh: invalid interpreter (/nonexistent/shell) specified"
    " on first line of script (errno=2: 'No such file or directory')"
)
NO_FOLDER = (
    "held: Error from slot1_1@node1: Failed to open '/nonexistent/x.out' as standard output: No"
    " such file or directory (errno 2)"
)
HELD = {
    "50.0": ("queued", NO_SHELL),
    "51.0": ("timeout", ""),
    "52.0": ("queued", ""),
    "53.0": ("queued", ""),
    "54.0": HELD_BY,
    "54.1": ("running", ""),
    "55.0": ("queued", NO_FOLDER),
}
READ = [
    ("ends", ("condor_q", "-attributes"), 0, {f"42.{n}": ("running", "") for n in range(4)}),
    ("ends", ("condor_history", "-attributes"), 0, ENDED),
    ("ends", ("condor_history", "99999", "-json"), 0, {}),
    ("ends", ("condor_q", "99999", "-json"), 0, {}),
    ("held", ("condor_q", "-attributes"), 0, HELD),
    (
        "max-materialize",
        ("condor_q", "-factory", "-json"),
        0,
        {f"46.{n}": WAITS for n in range(2, 8)},
    ),
    (
        "second-start",
        ("condor_history", "-json"),
        0,
        {f"{n}.0": ("done", "") for n in (77, 78, 79)},
    ),
    ("second-start", ("condor_q", "-json"), 0, {}),
    ("requeue", ("condor_q", "56", "-json"), 0, {"56.0": ("queued", "")}),
    ("requeue", ("condor_q", "57", "-json"), 1, {"57.0": ("running", "")}),
    ("single", ("condor_history", "-json"), 0, {"43.0": ("done", "")}),
]


@pytest.mark.parametrize(("scenario", "words", "number", "statuses"), READ)
def test_what_a_real_one_answered_is_read_rightly(scenario, words, number, statuses):
    found = told(read(calls(scenario, *words)[number]))
    assert {id: status for id, status in found.items() if id in statuses} == statuses
    assert statuses or not found


def test_a_name_and_an_index_come_with_each_job():
    statuses = read(calls("max-materialize", "condor_q", "-factory", "-json")[0])
    assert [(status.name, status.task) for status in statuses.values()] == [
        ("fact", process) for process in range(2, 8)
    ]
    [status] = read(calls("single", "condor_history", "-json")[0]).values()
    assert (status.name, status.task) == ("one", 0)


def test_every_recorded_list_can_be_read_and_every_refusal_is_no_answer():
    for file in ANSWERS.glob("*.json"):
        for call in json.loads(file.read_text())["calls"]:
            if call["argv"][0] in ("condor_q", "condor_history") and "-json" in call["argv"]:
                assert (read(call) is None) is (call["rc"] != 0)
    [down, *_] = calls("schedd-down", "condor_q")
    assert read(down) is None


def test_every_submission_that_was_taken_has_its_ids_and_no_refusal_has():
    _, [array] = arrays_of("condor")
    for file in ANSWERS.glob("*.json"):
        for call in calls(file.stem, "condor_submit", "-terse"):
            if "-dry-run" in call["argv"]:
                continue
            ids = condor.job_ids(call["stdout"], array)
            # An empty list is taken, and answered by nothing.
            assert bool(ids) is (call["rc"] == 0 and bool(call["stdout"].strip()))
    answer = "\n\n-- Schedd: node1 : <127.0.0.1:1?... @ 11/28/26\n46.0 - 46.2\n"
    assert condor.job_ids(answer, array) == ["46.0", "46.1", "46.2"]
    assert condor.place(answer, {}) == {"schedd": "node1"}


def test_a_command_about_what_is_not_there_has_nothing_to_end_but_says_so():
    for scenario in ("ends", "max-materialize", "several-questions"):
        for call in calls(scenario, "condor_rm"):
            finished = Finished((), call["rc"], call["stdout"], call["stderr"])
            assert call["rc"] == 0 or condor.FARM_TYPE.had_ended(finished)
    [down, *_] = calls("schedd-down", "condor_rm", "1.0")
    assert not condor.FARM_TYPE.had_ended(Finished((), down["rc"], "", down["stderr"]))


def ad(**more):
    return {"ClusterId": 7, "ProcId": 0, "JobBatchName": "a b", **more}


def status_of(in_queue=True, **more):
    finished = Finished((), 0, json.dumps([ad(**more)]), "")
    [status] = condor_status.job_statuses(finished, in_queue).values()
    return status[:2]


def test_a_job_that_was_removed_while_it_was_held_for_a_limit_passed_that():
    held = {"JobStatus": 3, "LastJobStatus": 5, "LastHoldReasonCode": 46}
    assert status_of(in_queue=False, **held) == ("timeout", "")
    assert status_of(in_queue=False, **{**held, "LastHoldReasonCode": 34}) == ("oom", "")
    # It was released since, and ran again.
    assert status_of(in_queue=False, **{**held, "LastJobStatus": 2})[0] == "cancelled"
    by_system = {**held, "LastHoldReasonCode": 1, "RemoveReason": "SYSTEM_PERIODIC_REMOVE"}
    assert status_of(in_queue=False, **by_system) == ("cancelled", "SYSTEM_PERIODIC_REMOVE")


def test_a_job_that_is_being_removed_still_runs():
    assert status_of(JobStatus=3, LastJobStatus=2) == ("running", "being removed")
    assert status_of(JobStatus=3) == ("running", "being removed")
    assert status_of(JobStatus=3, LastJobStatus=1)[0] == "cancelled"
    assert status_of(JobStatus=3, LastJobStatus=5, LastHoldReasonCode=46)[0] == "timeout"


def test_a_state_that_nobody_knows_is_told_as_such():
    assert status_of(JobStatus=9) == ("unknown", "JobStatus 9")
    assert status_of(JobStatus=4)[0] == "unknown"


def test_a_factory_that_has_stopped_says_why():
    factory = {"ClusterId": 7, "JobMaterializeNextProcId": 1, "TotalSubmitProcs": 2}
    failed = {"JobMaterializePaused": -1, "JobMaterializePauseReason": "no digest"}
    for more, reason in (({"JobMaterializePaused": 1}, "held"), (failed, "no digest")):
        statuses = condor_status.job_statuses(
            Finished((), 0, json.dumps([{**factory, **more}]), "")
        )
        assert list(statuses) == ["7.1"]
        assert statuses["7.1"].state == "queued"
        assert reason in statuses["7.1"].reason


def test_jobs_that_were_never_made_went_with_their_array():
    array = {"TotalSubmitProcs": 4, "JobMaterializeNextProcId": 2, "JobStatus": 3}
    ads = [ad(**array, RemoveReason="job 6.0 is not done"), ad(**array, ProcId=1)]
    ads += [ad(ProcId=0, ClusterId=8, JobStatus=3, TotalSubmitProcs=2)]
    ended = condor_status.job_statuses(Finished((), 0, json.dumps(ads), ""), in_queue=False)
    assert list(ended) == ["7.0", "7.1", "8.0", "7.2", "7.3"]
    assert {status.state for status in ended.values()} == {"cancelled"}
    # Those that were removed by themselves leave the others due.
    queued = condor_status.job_statuses(Finished((), 0, json.dumps(ads[:2]), ""))
    assert list(queued) == ["7.0", "7.1"]
    running = ad(**{**array, "JobStatus": 2}, ProcId=1)
    queued = condor_status.job_statuses(Finished((), 0, json.dumps([running, ads[0]]), ""))
    assert [status.state for status in queued.values()] == ["running", "running", *["queued"] * 2]


def test_commands_go_to_the_schedd_that_has_the_jobs():
    for query in condor.FARM_TYPE.queries:
        assert query.command(["7"], FARM)[1:3] == ("-name", "node1")
        assert "-name" not in query.command(["7"], Farm("pool"))
    for verb in (condor.FARM_TYPE.cancel, condor.FARM_TYPE.hold, condor.FARM_TYPE.release):
        assert verb(["7", "8.1"], FARM)[0][1:] == ("-name", "node1", "7", "8.1")


def test_what_passed_a_limit_leaves_the_queue_unless_directives_say_otherwise():
    farm, [array] = arrays_of("condor", 1, [Hparam("time", "7m", "7m")])
    text = condor.description(array, farm)
    assert "periodic_remove = (JobStatus == 5) && (HoldReasonCode == 46 || HoldReasonCode" in text
    assert "allowed_job_duration = 420" in text


@pytest.fixture
def site(installed, tmp_path):
    names = ("submit", "q", "history", "rm", "hold", "release", "qedit")
    commands = [f"condor_{name}" for name in names]
    folder = installed_commands(tmp_path / "bin", commands, "condor")
    path = f"{folder}:{installed['PATH']}"
    more = {"PATH": path, "STANDIN": str(tmp_path / "pool")}
    (tmp_path / "pool").mkdir()
    made = Site(tmp_path / "project", {**environment_of(installed, more), "PATH": path}, SECTION)
    made.pool = tmp_path / "pool"
    return made


def job_of(run):
    return json.loads((run / "attempts/1.job.json").read_text())


def by_id(site, name):
    return sorted(site.runs(name), key=lambda run: job_of(run)["id"])


def test_cancelling_all_leaves_nothing_due_and_resume_runs_each_once(site):
    (site.pool / "full").touch()
    file = site.sweep("all", f"HPARAMS: {{lr: [1, 2, 3, 4]}}\n{THROTTLED}")
    site.runx(file)
    assert set(site.states("all").values()) == {"queued"}
    site.runx("cancel", "all")
    assert set(site.states("all").values()) == {"cancelled"}
    site.runx(file, "--resume")
    (site.pool / "full").unlink()
    site.done("all", 4)
    assert [site.output(run).count("from epoch") for run in site.runs("all")] == [1] * 4


def test_a_cancelled_run_that_has_no_job_yet_never_runs(site):
    (site.pool / "full").touch()
    file = site.sweep("some", f"HPARAMS: {{lr: [1, 2, 3, 4]}}\n{THROTTLED}")
    site.runx(file)
    last = by_id(site, "some")[-1]
    told = site.runx("cancel", "some", last.name, status=(0, 1))
    assert last.name in told.stderr
    assert site.states("some")[last.name] == "queued"
    site.runx(file, "--resume")
    (site.pool / "full").unlink()
    states = site.wait("some", all_end)
    assert states.pop(last.name) == "cancelled"
    assert set(states.values()) == {"done"}
    assert site.output(last).count("from epoch") == 0


def test_an_array_is_held_and_released_as_a_whole(site):
    (site.pool / "full").touch()
    site.runx(site.sweep("held", f"HPARAMS: {{lr: [1, 2, 3, 4]}}\n{THROTTLED}"))
    site.runx("hold", "held")
    assert site.runx("status", "held").stdout.count("queued (held") == 4
    last = by_id(site, "held")[-1]
    site.runx("release", "held")
    assert "not found" in site.runx("hold", "held", last.name, status=1).stderr
    first = by_id(site, "held")[0]
    told = site.runx("hold", "held", first.name, last.name, status=(0, 1)).stderr
    assert f"{last.name}: not held" in told
    assert "1 of 2 runs held" in told
    site.runx("release", "held", first.name)
    (site.pool / "full").unlink()
    site.done("held", 4)


def test_a_schedd_that_is_down_has_lost_nothing_though_its_history_answers(site):
    (site.pool / "full").touch()
    file = site.sweep("down", f"HPARAMS: {{lr: [1, 2, 3, 4]}}\n{THROTTLED}")
    site.runx(file)
    assert {job_of(run)["options"]["schedd"] for run in site.runs("down")} == {"node1"}
    for run in site.runs("down"):
        long_ago(run)
    (site.pool / "down").touch()
    done = site.runx("status", "down", "--json")
    assert "can't be asked" in done.stderr
    assert {run["state"] for run in json.loads(done.stdout)} == {"queued"}
    site.runx(file, "--resume")
    assert all(len(list(run.glob("attempts/*.claim"))) == 1 for run in site.runs("down"))
    (site.pool / "down").unlink()
    (site.pool / "full").unlink()
    site.done("down", 4)


def test_jobs_of_another_schedd_are_not_looked_for_here(site):
    """Where several login nodes share files, each has a schedd and ids of its own."""
    (site.pool / "full").touch()
    file = site.sweep("there", "HPARAMS: {lr: [1, 2]}\n")
    site.runx(file)
    for run in site.runs("there"):
        job = {**job_of(run), "options": {"schedd": "login2"}}
        (run / "attempts/1.job.json").write_text(json.dumps(job))
        long_ago(run)
    done = site.runx("status", "there", "--json")
    assert "no record of schedd" in done.stderr
    assert {run["state"] for run in json.loads(done.stdout)} == {"queued"}
    site.runx(file, "--resume")
    assert all(len(list(run.glob("attempts/*.claim"))) == 1 for run in site.runs("there"))


def test_a_job_of_another_name_is_neither_believed_nor_cancelled(site):
    """As where a schedd was set up anew, and counts its jobs from 1 again."""
    (site.pool / "full").touch()
    site.runx(site.sweep("mine", "HPARAMS: {lr: [1, 2]}\nARRAY: true\n"))
    jobs = json.loads((site.pool / "jobs.json").read_text())
    jobs["1"]["name"] = "theirs"
    (site.pool / "jobs.json").write_text(json.dumps(jobs))
    site.runx("cancel", "mine", status=(0, 1))
    (site.pool / "full").unlink()
    site.runx(site.sweep("next", "HPARAMS: {lr: 1}\n"))
    site.done("next", 1)
    tasks = json.loads((site.pool / "jobs.json").read_text())["1"]
    assert not any(task.get("cancelled") for task in tasks["tasks"].values())
    assert not tasks.get("removed")
