import json
import signal
import subprocess

import pytest
from sweeps import dead_pid

from runx.disk.claims import claim_text, whoami
from runx.launching.existing import existing_runs, twins
from runx.plans.reconcile import Identity
from runx.rundir import ExperimentDir, RunDir

PLAIN = Identity()


@pytest.fixture
def experiment(tmp_path):
    return ExperimentDir(tmp_path)


def made(experiment, name, hparams, claim=None, events=()):
    run = experiment.run(name)
    run.attempts.mkdir(parents=True)
    run.record.write_text(json.dumps({"version": 1, "cmd": "train", "hparams": hparams}))
    if claim:
        run.claim(1).write_text(claim)
    if events:
        lines = (json.dumps({"time": 1.0, **event}) for event in events)
        run.events(1).write_text("".join(f"{line}\n" for line in lines))
    return run


def dead():
    return json.dumps({"version": 1, **whoami(), "pid": dead_pid(), "farm": None})


def found(experiment, warn=pytest.fail, identity=PLAIN):
    return list(existing_runs(experiment, identity, warn))


def test_an_experiment_that_is_not_there_has_no_runs(experiment):
    assert found(ExperimentDir(experiment.path / "nowhere")) == []


def test_what_is_damaged_is_told_of_and_passed_over(experiment):
    made(experiment, "owl", {"lr": 1})
    made(experiment, "fox", {"lr": 1}).record.write_text('{"cmd": 3}')
    made(experiment, "cat", {"lr": 1}).record.write_text("{")
    told = []
    assert [one.dir.path.name for one in found(experiment, told.append)] == ["owl"]
    assert len(told) == 2


def test_files_and_folders_that_are_no_runs_are_passed_by_in_silence(experiment):
    (experiment.path / "notes.txt").write_text("")
    (experiment.path / "plots").mkdir()
    experiment.making.mkdir(parents=True)
    assert found(experiment) == []


def test_equal_runs_have_one_identity_whatever_was_ignored(experiment):
    made(experiment, "owl", {"lr": 1, "workers": 4})
    made(experiment, "fox", {"lr": 1.0})
    assert len({one.id for one in found(experiment)}) == 2
    lenient = Identity(frozenset({"workers"}))
    assert len({one.id for one in found(experiment, identity=lenient)}) == 1


def test_states_are_read_from_what_lies_there(experiment):
    ended = [{"event": "started"}, {"event": "ended", "code": 0}]
    made(experiment, "a", {}, dead(), ended)
    made(experiment, "b", {}, dead(), [*ended[:1], {"event": "ended", "code": 3}])
    made(experiment, "c", {}, dead())
    made(experiment, "d", {}, claim_text(None, None))
    assert [(one.state.name, one.attempts) for one in found(experiment)] == [
        ("done", 1),
        ("failed", 1),
        ("planned", 1),
        ("queued", 1),
    ]


@pytest.mark.parametrize("orphan", [True, False])
def test_a_run_is_an_orphan_if_it_lives_and_its_launcher_does_not(experiment, orphan):
    claim = dead() if orphan else claim_text(None, None)
    run = made(experiment, "owl", {}, claim, [{"event": "started"}])
    holder = subprocess.Popen(
        ["bash", "-c", 'exec 9>>"$1"; flock 9; echo held; exec sleep 60', "-", run.lock],
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    [one] = found(experiment)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (one.state.name, one.orphan) == ("running", orphan)


def test_twins_are_found_by_what_was_planned_and_damaged_plans_cost_a_warning(experiment):
    run = made(experiment, "owl", {"lr": 1})
    key = Identity().of("train", {"lr": 1})
    launch = experiment.launches / "one"
    launch.mkdir(parents=True)
    lines = [{"name": "owl", "id": key}, {"name": "never-made", "id": key}, {"id": "other"}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (launch / "plan.jsonl").write_text(f"{text}{{torn\n")
    told = []
    assert [one.dir for one in twins(experiment, [key], told.append)] == [RunDir(run.path)]
    assert [line.split(":")[0].rpartition(" ")[2] for line in told] == ["3", "4"]


def test_a_submission_that_outlived_its_launcher_is_waited_for(experiment):
    claim = {"version": 1, **whoami(), "pid": dead_pid(), "farm": "mine", "launch": "one"}
    run = made(experiment, "owl", {"lr": 1}, json.dumps(claim))
    jobs = experiment.launches / "one" / "jobs"
    jobs.mkdir(parents=True)
    entry = {
        "farm": "mine",
        "type": "command",
        "array": False,
        "name": "x",
        "runs": [run.path.name],
    }
    (jobs / "jobs.jsonl").write_text(json.dumps(entry) + "\n")
    held = subprocess.Popen(
        ["flock", jobs / "lock", "sh", "-c", "echo held; sleep 0.5; touch sent"],
        cwd=jobs,
        stdout=subprocess.PIPE,
    )
    held.stdout.readline()
    [there] = found(experiment)
    assert (jobs / "sent").exists()
    assert there.state.name == "queued"
    held.wait()
    held.stdout.close()
