"""Which code runs get that start again: RESTAGE, --restage, and what is said of it."""

import json

import pytest
from sweeps import Sweep

from runx.launching.progress import has_progress, left_nothing
from runx.rundir.paths import RunDir

HEAD = "CMD: bash train.sh\nHPARAMS: {n: [0]}\n"
FAILS = "exit 1"
LEAVES = {
    "nothing": "",
    "a file": ": > $RUNX_LOGDIR/notes.txt",
    "a folder": "mkdir -p $RUNX_LOGDIR/tb; : > $RUNX_LOGDIR/tb/events.out.tfevents.1",
    "a checkpoint": "mkdir -p $RUNX_LOGDIR/ckpt; : > $RUNX_LOGDIR/ckpt/epoch3.ckpt",
    "a metric": "echo val,acc,1,epoch,0,timestamp,1 > $RUNX_LOGDIR/metrics.csv",
    "a start": "echo start,start/step,0,timestamp,1 > $RUNX_LOGDIR/metrics.csv",
}
TODAY = {
    "auto": {"nothing", "a start"},
    "never": set(),
    "failed": {"nothing", "a file", "a folder", "a start"},
    "always": set(LEAVES),
}


@pytest.fixture
def sweep(tmp_path, installed):
    made = Sweep(tmp_path / "project", installed)
    made.write("sweep.yml", HEAD)
    yield made
    made.clean()


@pytest.mark.parametrize("rule", TODAY)
@pytest.mark.parametrize("leaves", LEAVES)
def test_who_has_left_nothing_takes_todays_code(sweep, rule, leaves):
    sweep.write("sweep.yml", HEAD + ("" if rule == "auto" else f"RESTAGE: {rule}\n"))
    sweep.trains(f"{LEAVES[leaves]}\n{FAILS}")
    sweep.runx("-i", status=1)
    sweep.trains(":")
    is_today = leaves in TODAY[rule]
    said = sweep.runx("-i", "--resume", status=0 if is_today else 1)
    today = "1 of them takes today's code: train.sh differs from what it was staged with"
    staged = "1 of them goes on as it was staged: train.sh differs today; --restage takes today's"
    assert (today in said, staged in said) == (is_today, not is_today)
    [run] = sweep.runs()
    first, second = (json.loads(run.claim(number).read_text())["code"] for number in (1, 2))
    assert (first != second) == is_today


def test_runs_that_never_began_keep_their_code(sweep):
    sweep.write("sweep.yml", "CMD: bash train.sh\nHPARAMS: {n: [0, 1]}\n")
    sweep.trains(FAILS)
    sweep.runx("-i", "--fail-fast", status=1)
    sweep.trains(":")
    said = sweep.runx("-i", "--resume", status=1)
    assert "1 of them takes today's code" in said
    assert "1 of them goes on as it was staged" in said


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("", "ENV: {A: 1}", "ENV"),
        ("ENV: {A: 1}", "", "ENV"),
        ("ENV: {A: 1}", "ENV: {A: 2}", "ENV"),
        ("", "SETUP: A=1", "SETUP"),
        ("SETUP: A=1", "", "SETUP"),
        ("", "WRAP: nice", "WRAP"),
        ("", "TEARDOWN: echo over", "TEARDOWN"),
        ("", "CODE_LINKS: [data]", "CODE_LINKS: data"),
    ],
)
def test_settings_that_differ_are_named(sweep, before, after, name):
    sweep.write("data/x", "")
    sweep.write(".runx", before + "\nCODE_IGNORE_PATTERNS: .git,data\n")
    sweep.trains(FAILS)
    sweep.runx("-i", status=1)
    sweep.write(".runx", after + "\nCODE_IGNORE_PATTERNS: .git,data\n")
    said = sweep.runx("-i", "--resume", status=1)
    both = sorted([".runx", name])
    assert f"1 of them takes today's code: {', '.join(both)} differ from what it" in said


def test_nothing_is_said_where_nothing_has_changed(sweep):
    sweep.trains("if true; then exit 1; fi")
    sweep.runx("-i", status=1)
    assert "differ" not in sweep.runx("-i", "--resume", status=1)


def test_a_missing_folder_is_cured_by_the_printed_retry_line(sweep):
    """As the README has it: data/ isn't frozen, so that CODE_LINKS names it."""
    sweep.write("data/x", "7")
    sweep.write(".runx", "CODE_IGNORE_PATTERNS: .git,data\n")
    sweep.trains("cat data/x || exit 1")
    said = sweep.runx("-i", status=1)
    sweep.write(".runx", "CODE_IGNORE_PATTERNS: .git,data\nCODE_LINKS: [data]\n")
    retry = said.splitlines()[-1].removeprefix("retry: runx sweep.yml ")
    assert "1 run done" in sweep.runx(*retry.split())


def test_what_runx_and_logx_write_is_not_what_a_script_leaves(tmp_path):
    run = RunDir(tmp_path)
    for name in ("run.json", "hparams.json", "run.sh", "output.log", "logx.json", "logging.log"):
        (tmp_path / name).touch()
    for name in ("attempts", "code", "code.1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.pth").touch()
    (tmp_path / "metrics.csv").write_text("start,start/step,0,timestamp,1\n")
    (tmp_path / "events.out.tfevents.1").touch()
    assert (left_nothing(run), has_progress(run)) == (True, False)
    (tmp_path / "metrics.train.csv").write_text("train,loss,1,epoch,0\n")
    assert (left_nothing(run), has_progress(run)) == (False, True)


@pytest.mark.parametrize("words", [[], ["--restage"]])
def test_the_claim_of_a_job_names_the_code_that_it_has(sweep, words):
    sweep.write(".runx", "FARM: q\nq: {SUBMIT_CMD: bash submit.sh}\nRESTAGE: never\n")
    sweep.write("submit.sh", 'eval "${@: -1}" || :; echo job 7\n')
    sweep.trains(FAILS)
    sweep.runx(status=None)
    sweep.trains(":")
    sweep.runx("--resume", *words, status=None)
    [run] = sweep.runs()
    first, second = (json.loads(run.claim(number).read_text())["code"] for number in (1, 2))
    assert (first != second) == bool(words)
    assert (":" in (run.code / "train.sh").read_text().split("; ")) == bool(words)
