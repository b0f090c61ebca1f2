"""How long runs took, beside the time that was asked for: only of those that are done."""

import json

import pytest
from project import Project
from run_folders import make_run

from runx.analysis.took import Took, took, took_before, took_lines
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def project(tmp_path, installed):
    made = Project(tmp_path / "project", installed)
    made.write("sweep.yml", "CMD: python train.py\nRESOURCES: {time: 3h}\nHPARAMS: {lr: [1, 2]}\n")
    return made


@pytest.mark.parametrize(
    ("longest", "text"),
    [(0.2, "1 s"), (59.1, "1 min"), (61, "2 min"), (3600, "1 h"), (3601, "1 h 1 min")],
)
def test_no_run_took_longer_than_is_said(longest, text):
    assert Took(longest, 2).line(["5m"]) == f"time: 5m, runs took at most {text}"


def test_where_nothing_is_done_nothing_is_said(tmp_path):
    assert took([]) is None
    assert took_before(ExperimentDir(tmp_path / "nowhere")) is None
    assert took_before(ExperimentDir(tmp_path)) is None
    make_run(tmp_path / "owl", {}, [1], resources={"time": "1h"}, code=1)
    assert took_before(ExperimentDir(tmp_path)) is None
    (tmp_path / "file").write_text("")
    assert list(took_lines([])) == []


def test_a_preview_and_status_say_it_of_runs_that_ended_well(project):
    assert "runs took" not in project.runx("sweep.yml", "-n").stderr
    project.runx("sweep.yml", "-i", "--limit", "1")
    line = "time: 3h, the run that is done took "
    assert line in project.runx("sweep.yml", "-n").stderr
    assert "time: 1h, the run" in project.runx("sweep.yml", "-n", "RESOURCES.time=1h").stderr
    assert line in project.runx("sweep.yml", "-n", "--table").stdout
    assert line in project.runx("status", "sweep").stdout
    assert json.loads(project.runx("status", "sweep", "--json").stdout)
    project.runx("sweep.yml", "-i", "--resume")
    assert "time: 3h, runs took at most " in project.runx("status", "sweep").stdout
    assert "took" not in project.runx("sweep.yml", "-n", "RESOURCES.time=null").stderr


def test_what_failed_says_nothing_of_how_long_it_takes(project):
    project.write(
        "sweep.yml", "CMD: python train.py\nRESOURCES: {time: 3h}\nHPARAMS: {fail: true}\n"
    )
    project.runx("sweep.yml", "-i", status=1)
    assert "took" not in project.runx("sweep.yml", "-n").stderr
    assert "took" not in project.runx("status", "sweep", status=1).stdout


def test_looking_waits_for_no_file_that_is_damaged(project):
    project.runx("sweep.yml", "-i")
    first, second = project.runs()
    (first / "attempts/1.events.jsonl").write_bytes(b"\xff{")
    (second / "run.json").write_text("")
    (project.path / "runs/sweep/.runx/index.json").write_text("[")
    assert "time: 3h, " in project.runx("sweep.yml", "-n").stderr
