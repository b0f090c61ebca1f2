"""Which runs start: --resume and its kin through the command line, and the runs that there are."""

import json
import signal
import subprocess

import pytest
from sweeps import Sweep, dead_pid, wait_until

from runx.launching.decide import existing_runs, twins
from runx.rundir.claims import claim_text
from runx.rundir.machines import whoami
from runx.rundir.paths import ExperimentDir, RunDir
from runx.sweeps.identity import Identity

PLAIN = Identity()


@pytest.fixture
def sweep(tmp_path, installed):
    made = Sweep(tmp_path / "project", installed)
    yield made
    made.clean()


def settings(sweep, hparams, **more):
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in more.items())
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {json.dumps(hparams)}\n{lines}")


def starting(message):
    [line] = [line for line in message.splitlines() if ": starting " in line]
    return line


def test_a_state_that_is_never_started_again_can_not_be_asked_for(sweep):
    message = sweep.runx("-i", "--resume", "--retry", "done", status=2)
    assert "done is no state to start again" in message
    assert "--retry goes with --resume" in sweep.runx("-i", "--retry", "failed", status=2)
    assert "--restage goes with --resume" in sweep.runx("-i", "--restage", status=2)


def test_identical_runs_that_are_under_way_stop_a_launch_that_does_not_say_what_it_means(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2")
    wait_until(lambda: len(sweep.told("begin")) == 2)
    message = sweep.runx("-i", status=2)
    assert "--resume" in message and "--again" in message
    assert len(sweep.runs()) == 3
    message = sweep.runx("-i", "-n", "--resume")
    assert starting(message).startswith("1 queued, 2 running: starting 1; 1 of them wait")
    for run in sweep.runs():
        (run.path / "go").touch()
    sweep.ended(launcher)
    sweep.trains(":")
    assert "3 such runs are done already; --resume" in sweep.runx("-i")
    assert len(sweep.runs()) == 6


def test_resume_starts_what_failed_in_its_own_directory_with_the_code_it_had(sweep):
    sweep.trains("echo $RUNX_LOGDIR; : > $RUNX_LOGDIR/some.bin; [ $2 != 1 ] || exit 1")
    sweep.runx("-i", status=1)
    failed = sweep.run(1)
    sweep.trains(":")
    message = sweep.runx("-i", "--resume", status=1)
    assert starting(message) == "2 done, 1 failed: starting 1"
    assert "1 of them goes on as it was staged: train.sh differs today; --restage" in message
    assert failed.output.read_text() == f"{failed.path}\n" * 2
    first, second = (json.loads(failed.claim(number).read_text()) for number in (1, 2))
    assert first["code"] == second["code"]
    plans = (failed.path.parent / ".runx" / "launches").glob("*/plan.jsonl")
    names = [json.loads(line)["name"] for plan in plans for line in plan.read_text().splitlines()]
    assert sorted(names) == sorted([*(run.path.name for run in sweep.runs()), failed.path.name])
    assert sweep.told("begin") == [0, 1, 1, 2]


def test_restaging_takes_todays_code_keeps_the_old_and_names_it_in_the_claim(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    sweep.trains(":")
    message = sweep.runx("-i", "--resume", "--restage")
    assert message.count("3 of them take today's code: train.sh differs") == 1
    for run in sweep.runs():
        assert "exit 1" in (run.path / "code.1/train.sh").read_text()
        assert "exit 1" not in (run.code / "train.sh").read_text()
        first, second = (json.loads(run.claim(number).read_text()) for number in (1, 2))
        assert first["code"] != second["code"]
    assert sweep.states() == ["done"] * 3


def test_restaging_code_that_is_the_same_changes_nothing(sweep):
    sweep.trains("[ -e ../twice ] || { touch ../twice; exit 1; }")
    sweep.runx("-i", status=1)
    sweep.runx("-i", "--resume", "--restage")
    assert not any(list(run.path.glob("code.*")) for run in sweep.runs())


def test_a_restaging_that_was_killed_half_way_is_mended(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    for run in sweep.runs():
        run.code.rename(run.path / "code.1")
        (run.path / "code.abc.new").mkdir()
    sweep.runx("-i", "--resume", status=1)
    for run in sweep.runs():
        assert (run.code / "train.sh").exists()
        assert not list(run.path.glob("code.*"))


def test_retry_narrows_what_starts(sweep):
    sweep.trains("[ $2 = 0 ] || { [ $2 = 1 ] && exit 1; kill -9 $$; }")
    sweep.runx("-i", status=1)
    message = sweep.runx("-n", "-i", "--resume", "--retry", "killed")
    assert starting(message) == "1 done, 1 failed, 1 killed: starting 1"
    assert "bash train.sh --n 2" in message
    message = sweep.runx("-n", "-i", "--resume", "--retry", "new")
    assert starting(message).endswith("starting 0")


def test_resume_can_be_the_default_and_be_overridden(sweep):
    sweep.write(".runx", "RESUME: true\n")
    sweep.runx("-i")
    assert starting(sweep.runx("-i")) == "3 done: starting 0"
    sweep.runx("-i", "--no-resume")
    assert len(sweep.runs()) == 6


def test_new_points_start_and_those_that_have_gone_are_mentioned(sweep):
    sweep.runx("-i")
    settings(sweep, {"n": [1, 2, 3]})
    message = sweep.runx("-i", "--resume")
    assert starting(message) == "2 done, 1 new: starting 1; 1 no longer in the sweep, left alone"
    assert sweep.told("begin") == [0, 1, 2, 3]


def test_equal_points_are_matched_one_to_one(sweep):
    settings(sweep, {"n": [0, 0]})
    sweep.runx("-i")
    settings(sweep, {"n": [0, 0, 0]})
    assert starting(sweep.runx("-i", "--resume")) == "2 done, 1 new: starting 1"


def test_keys_that_are_ignored_do_not_make_runs_new(sweep):
    settings(sweep, {"n": [0, 1]})
    sweep.runx("-i")
    settings(sweep, {"n": [0, 1], "workers": 8}, IDENTITY_IGNORE=["workers"])
    assert starting(sweep.runx("-n", "-i", "--resume")) == "2 done: starting 0"
    settings(sweep, {"n": [0, 1], "workers": 8})
    assert starting(sweep.runx("-n", "-i", "--resume")).startswith("2 new: starting 2")


def test_the_command_can_be_ignored_too(sweep):
    settings(sweep, {"n": [0, 1]})
    sweep.runx("-i")
    sweep.write("sweep.yml", "CMD: bash ./train.sh\nHPARAMS: {n: [0, 1]}\nIDENTITY_IGNORE: CMD\n")
    assert starting(sweep.runx("-n", "-i", "--resume")) == "2 done: starting 0"


def test_a_new_key_at_its_default_makes_no_finished_run_new(sweep):
    settings(sweep, {"n": [0, 1]})
    sweep.runx("-i")
    settings(sweep, {"n": [0, 1], "dropout": [0, 0.5]}, IDENTITY_DEFAULTS={"dropout": 0.0})
    assert starting(sweep.runx("-i", "--resume")) == "2 done, 2 new: starting 2"


@pytest.mark.parametrize(
    "value",
    ["[1e-3, 1.0]", "[[1, 2], [3]]", "'true'", "[true, false]", "LOGDIR/x", "[1, 1.0, '1']"],
)
def test_a_run_is_known_again_whatever_its_values_are(sweep, value):
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {{n: 1, v: {value}}}\n")
    sweep.runx("-i")
    assert starting(sweep.runx("-i", "--resume")).endswith("done: starting 0")


def test_a_run_whose_record_is_damaged_is_known_by_its_launch(sweep):
    sweep.runx("-i")
    damaged = sweep.run(1)
    damaged.record.write_text('{"vers')
    message = sweep.runx("-n", "-i", "--resume")
    assert starting(message) == "3 done: starting 0"


def test_looking_at_what_resume_would_do_touches_nothing(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    before = sorted(sweep.root.rglob("*"))
    message = sweep.runx("-n", "-i", "--resume")
    assert sorted(sweep.root.rglob("*")) == before
    assert message.count("bash train.sh") == 3


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


def read(experiment, warn=pytest.fail, identity=PLAIN):
    return list(existing_runs(experiment, identity, warn))


def test_an_experiment_that_is_not_there_has_no_runs(experiment):
    assert read(ExperimentDir(experiment.path / "nowhere")) == []


def test_what_is_damaged_costs_a_warning_and_is_left_out(experiment):
    made(experiment, "owl", {"lr": 1})
    made(experiment, "fox", {"lr": 1}).record.write_text('{"cmd": 3}')
    made(experiment, "cat", {"lr": 1}).record.write_text("{")
    warnings = []
    assert [run.dir.path.name for run in read(experiment, warnings.append)] == ["owl"]
    assert len(warnings) == 2


def test_files_and_folders_that_are_no_runs_are_passed_by_in_silence(experiment):
    (experiment.path / "notes.txt").write_text("")
    (experiment.path / "plots").mkdir()
    experiment.making.mkdir(parents=True)
    assert read(experiment) == []


def test_equal_runs_have_one_identity_whatever_was_ignored(experiment):
    made(experiment, "owl", {"lr": 1, "workers": 4})
    made(experiment, "fox", {"lr": 1.0})
    assert len({run.id for run in read(experiment)}) == 2
    lenient = Identity(frozenset({"workers"}))
    assert len({run.id for run in read(experiment, identity=lenient)}) == 1


def test_states_are_read_from_what_lies_there(experiment):
    ended = [{"event": "started"}, {"event": "ended", "code": 0}]
    made(experiment, "a", {}, dead(), ended)
    made(experiment, "b", {}, dead(), [*ended[:1], {"event": "ended", "code": 3}])
    made(experiment, "c", {}, dead())
    made(experiment, "d", {}, claim_text(None, None))
    assert [(run.state.name, run.attempts) for run in read(experiment)] == [
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
    [run] = read(experiment)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (run.state.name, run.orphan) == ("running", orphan)


def test_twins_are_found_by_what_was_planned_and_damaged_plans_cost_a_warning(experiment):
    run = made(experiment, "owl", {"lr": 1})
    key = Identity().of("train", {"lr": 1})
    launch = experiment.launches / "one"
    launch.mkdir(parents=True)
    lines = [{"name": "owl", "id": key}] * 2 + [{"name": "never-made", "id": key}, {"id": "other"}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (launch / "plan.jsonl").write_text(f"{text}{{torn\n")
    warnings = []
    assert [each.dir for each in twins(experiment, [key], warnings.append)] == [RunDir(run.path)]
    assert [line.split(":")[0].rpartition(" ")[2] for line in warnings] == ["4", "5"]


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
    [run] = read(experiment)
    assert (jobs / "sent").exists()
    assert run.state.name == "queued"
    held.wait()
    held.stdout.close()
