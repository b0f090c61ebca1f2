"""--resume and its kin, through the command line."""

import json

import pytest
from sweeps import Sweep, wait_until


@pytest.fixture
def sweep(tmp_path, installed):
    made = Sweep(tmp_path / "project", installed)
    yield made
    made.clean()


def settings(sweep, hparams, **more):
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in more.items())
    sweep.write("sweep.yml", f"CMD: bash train.sh\nHPARAMS: {json.dumps(hparams)}\n{lines}")


def starting(said):
    [line] = [line for line in said.splitlines() if ": starting " in line]
    return line


def test_a_state_that_is_never_started_again_can_not_be_asked_for(sweep):
    said = sweep.runx("-i", "--resume", "--retry", "done", status=2)
    assert "done is no state to start again" in said
    assert "--retry goes with --resume" in sweep.runx("-i", "--retry", "failed", status=2)
    assert "--restage goes with --resume" in sweep.runx("-i", "--restage", status=2)


def test_identical_runs_that_are_under_way_stop_a_launch_that_does_not_say_what_it_means(sweep):
    sweep.trains("until [ -e ../go ]; do sleep 0.05; done")
    launcher = sweep.start("-i", "-j", "2")
    wait_until(lambda: len(sweep.told("begin")) == 2)
    said = sweep.runx("-i", status=2)
    assert "--resume" in said and "--again" in said
    assert len(sweep.runs()) == 3
    said = sweep.runx("-i", "--resume")
    assert starting(said) == "1 queued, 2 running: starting 0"
    for run in sweep.runs():
        (run.path / "go").touch()
    sweep.ended(launcher)
    sweep.trains(":")
    assert "3 such runs are done already; --resume" in sweep.runx("-i")
    assert len(sweep.runs()) == 6


def test_resume_starts_what_failed_in_its_own_directory_with_the_code_it_had(sweep):
    sweep.trains("echo $RUNX_LOGDIR; [ $2 != 1 ] || exit 1")
    sweep.runx("-i", status=1)
    failed = sweep.run(1)
    sweep.trains(":")
    said = sweep.runx("-i", "--resume", status=1)
    assert starting(said) == "2 done, 1 failed: starting 1"
    assert "1 of them go on with the code that they were staged with" in said
    assert failed.output.read_text() == f"{failed.path}\n" * 2
    first, second = (json.loads(failed.claim(number).read_text()) for number in (1, 2))
    assert first["code"] == second["code"]
    assert sweep.told("begin") == [0, 1, 1, 2]


def test_restaging_takes_todays_code_keeps_the_old_and_names_it_in_the_claim(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    sweep.trains(":")
    said = sweep.runx("-i", "--resume", "--restage")
    assert said.count("what it was staged with is code.1") == 3
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
    said = sweep.runx("-n", "-i", "--resume", "--retry", "killed")
    assert starting(said) == "1 done, 1 failed, 1 killed: starting 1"
    assert "bash train.sh --n 2" in said
    said = sweep.runx("-n", "-i", "--resume", "--retry", "new")
    assert starting(said).endswith("starting 0")


def test_resume_can_be_the_default_and_be_overridden(sweep):
    sweep.write(".runx", "RESUME: true\n")
    sweep.runx("-i")
    assert starting(sweep.runx("-i")) == "3 done: starting 0"
    sweep.runx("-i", "--no-resume")
    assert len(sweep.runs()) == 6


def test_new_points_start_and_those_that_have_gone_are_mentioned(sweep):
    sweep.runx("-i")
    settings(sweep, {"n": [1, 2, 3]})
    said = sweep.runx("-i", "--resume")
    assert starting(said) == "2 done, 1 new: starting 1; 1 no longer in the sweep, left alone"
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


def test_a_damaged_run_costs_a_warning_and_is_made_anew(sweep):
    sweep.runx("-i")
    damaged = sweep.run(1)
    damaged.record.write_text('{"vers')
    said = sweep.runx("-n", "-i", "--resume")
    assert f"{damaged.record}: left out" in said
    assert starting(said) == "2 done, 1 new: starting 1"


def test_looking_at_what_resume_would_do_touches_nothing(sweep):
    sweep.trains("exit 1")
    sweep.runx("-i", status=1)
    before = sorted(sweep.root.rglob("*"))
    said = sweep.runx("-n", "-i", "--resume")
    assert sorted(sweep.root.rglob("*")) == before
    assert said.count("bash train.sh") == 3
