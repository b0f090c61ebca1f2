"""A run's JSON has the same names, and fits its schema, wherever it is printed."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from run_folders import make_run

import runx
from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.analysis.runjson import ATTEMPT, FIELDS, run_as_json
from runx.config.schema import schema
from runx.report.data import model
from runx.rundir.paths import ExperimentDir

jsonschema = pytest.importorskip("jsonschema")
ALWAYS = {name for name, field in FIELDS.items() if field.always}
COMMANDS = {
    "status": "runx.runx status sweep --json",
    "status of one": "runx.runx status owl --json",
    "show": "runx.runx show owl fox bat --json",
    "sumx": "runx.sumx sweep --json",
    "sumx with columns": "runx.sumx sweep --json --columns acc:best,git,host,created,id,lr",
    "jsonl": "runx.sumx sweep --format jsonl",
    "preview": "runx.runx sweep.yml -n --json",
    "preview of a farm": "runx.runx farm.yml -n --json",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with an experiment of runs in all kinds of states, and its file."""
    folder = tmp_path_factory.mktemp("project")
    runs = folder / "runs" / "sweep"
    hparams = {"optimizer": {"lr": 0.1, "betas": [0.9, 0.99]}, "wd": None}
    make_run(runs / "owl", hparams, [1, math.inf], tag="t", labels=["paper"], launch="l", id="ab")
    make_run(runs / "fox", {"lr": math.nan, "name": "x"}, [math.nan], code=137)
    make_run(runs / "bat", {"lr": "auto"}, record=False)
    make_run(runs / "cat", {}, code=None, resources={"gpus": 2})
    launch = runs / ".runx" / "launches" / "l"
    launch.mkdir(parents=True)
    git = {"commit": "c0ffee0123456789", "dirty": True}
    (launch / "launch.json").write_text(json.dumps({"version": 1, "note": "n", "git": git}))
    text = "CMD: python x.py\nHPARAMS: {lr: [0.1, 0.2], RUNX.TAG: a}\n"
    (folder / "sweep.yml").write_text(text)
    farm = "FARM: c\nc: {TYPE: slurm, RESOURCES: {gpus: 1}}\n"
    (folder / "farm.yml").write_text(text + farm)
    (folder / "x.py").write_text("")
    return folder


def printed(project, command):
    module, *words = command.split()
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    if "jsonl" in command:
        return [json.loads(line) for line in done.stdout.splitlines()]
    return json.loads(done.stdout)


def check(runs):
    """Assert that runs fit the schema, and have no name that it lacks."""
    validator = jsonschema.Draft202012Validator(schema("status"))
    assert [error.message for error in validator.iter_errors(runs)] == []
    assert runs
    for run in runs:
        assert run.keys() - FIELDS.keys() == set()
        for attempt in run.get("attempts", ()):
            assert attempt.keys() - ATTEMPT.keys() == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_what_the_schema_says(project, command):
    runs = printed(project, COMMANDS[command])
    check(runs)
    assert all(run.keys() >= ALWAYS for run in runs)


def test_every_command_prints_the_same_of_a_run(project):
    first, *others = [
        next(run for run in printed(project, COMMANDS[name]) if run["name"] == "owl")
        for name in ("status", "show", "sumx", "jsonl")
    ]
    for other in others:
        assert {name: other[name] for name in ALWAYS} == {name: first[name] for name in ALWAYS}
    assert first["hparams"] == {"optimizer.lr": 0.1, "optimizer.betas": [0.9, 0.99], "wd": None}
    assert (first["tag"], first["labels"], first["tool"]) == ("t", ["paper"], "runx")
    assert (first["exit_code"], first["elapsed"], first["metrics"]) == (0, 9, {"acc": "inf"})


def test_the_page_and_python_have_these_names_too(project, monkeypatch):
    monkeypatch.chdir(project)
    experiment = ExperimentDir(project / "runs" / "sweep")
    records = list(read_experiment(experiment, Reader(warn=print)))
    page = model([experiment], records, Question(), 99.0, print)["runs"]
    page_alone = {"key", "best", "courses", "log", "images", "artifacts"}
    check([{name: run[name] for name in run.keys() - page_alone} for run in page])
    assert all(run.keys() >= ALWAYS for run in page)
    check(runx.status("sweep").json())
    check(runx.show("owl"))
    check(runx.results("sweep").json())
    check(runx.preview(runx.load("sweep.yml").plan(), json=True))


def test_data_frames_have_the_names_of_runs(project, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(project)
    frame = runx.results("sweep").columns("run", "dir", "name", "exit_code", "tool").frame()
    assert list(frame.columns)[:3] == ["name", "logdir", "hparams.name"]


def test_what_is_asked_for_beside_is_there_under_its_name(project):
    runs = {run["name"]: run for run in printed(project, COMMANDS["sumx with columns"])}
    owl, fox, bat, cat = (runs[name] for name in ("owl", "fox", "bat", "cat"))
    assert (owl["commit"], owl["id"]) == ("c0ffee0123+", "ab")
    assert owl["metrics"] == {"acc": "inf", "acc:best": "inf"}
    assert (fox["state"], fox["exit_code"], bat["state"]) == ("killed", 137, "unknown")
    assert cat["resources"] == {"gpus": 2}


def test_a_run_that_another_tool_wrote_says_so(tmp_path):
    make_run(tmp_path / "a", {"lr": 1})
    [record] = read_experiment(ExperimentDir(tmp_path), Reader(warn=print))
    other = run_as_json(record._replace(tool="mlflow"), 0.0)
    check([other])
    assert other["tool"] == "mlflow"


def test_the_names_are_columns_and_can_be_asked_for(project, monkeypatch):
    monkeypatch.chdir(project)
    results = runx.results("sweep")
    assert [run.name for run in results.where("exit_code == 137")] == ["fox"]
    assert len(results.where("tool == 'runx' and logdir != ''")) == 4
    # A hyperparameter of that name goes before.
    assert [run.name for run in results.where("name == 'x'")] == ["fox"]


def test_the_schema_itself_is_right():
    jsonschema.Draft202012Validator.check_schema(schema("status"))
    shipped = Path(__file__).parents[2] / "docs" / "schemas" / "status.json"
    assert json.loads(shipped.read_text()) == schema("status")
