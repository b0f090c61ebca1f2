"""The benchmarks: floors do the same work as runx, and ratios are those of neighbours."""

import doctest
import importlib
import json
import re
import subprocess

import pytest

from benchmarks import projects
from benchmarks.commands import BARE, OURS, Failed, environment, timed
from benchmarks.jobs.stepping import submit
from benchmarks.tables import table
from benchmarks.turns import Case, Cost, Job, measure


def output_of(words, folder, python):
    return subprocess.check_output(
        words, cwd=folder, env=environment(python, folder), stderr=subprocess.DEVNULL, text=True
    )


@pytest.mark.parametrize("name", ["turns", "tables", "projects", "commands", "__main__"])
def test_the_examples_of_the_benchmarks_hold(name):
    assert doctest.testmod(importlib.import_module(f"benchmarks.{name}")).failed == 0


def test_a_command_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(Failed, match="exit status 3"):
        timed(BARE.words("-c", "raise SystemExit(3)"), tmp_path)


@pytest.mark.parametrize("way", ["text", "yaml"])
def test_the_floor_of_planning_prints_what_runx_prints(tmp_path, way):
    projects.sweep(tmp_path, 100, "python train.py")
    floor = BARE.script("floors", "plan", way, tmp_path / "sweep.yml", tmp_path / "logs")
    printed = [
        re.sub(r"(?<=/sweep/)\S+", "NAME", output_of(words, tmp_path, python))
        for words, python in ((floor, BARE), (OURS.entry("runx", "sweep.yml", "-n", "-i"), OURS))
    ]
    assert printed[0] == printed[1]
    assert printed[0].count("NAME") == 100


def test_the_floor_of_launching_gives_each_run_the_code_that_runx_gives_it(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    projects.code(project, 30, 100)
    words = BARE.script("floors", "launch", "alone", project, tmp_path / "floor", 10)
    output_of(words, tmp_path, BARE)
    projects.sweep(project, 10, "true")
    output_of(OURS.entry("runx", "sweep.yml", "-i"), project, OURS)
    floor = [set(run.rglob("*.py")) for run in (tmp_path / "floor").glob("run-*")]
    ours = [set(run.glob("code/*/*.py")) for run in (project / "logs" / "sweep").glob("[a-z]*")]
    assert [len(files) for files in floor] == [len(files) for files in ours] == [30] * 10


def test_runs_of_three_steps_are_submitted_in_three_calls(tmp_path):
    submit(tmp_path, 40, 3)
    assert [len(list(tmp_path.glob(f"logs/*/*/steps/{step}"))) for step in ("train", "eval")] == [
        40,
        40,
    ]


def test_results_are_what_runx_reads_back(tmp_path):
    projects.results(tmp_path / "logs", 10, 3)
    words = OURS.entry("sumx", "sweep", "--logroot", "logs", "--json")
    runs = json.loads(output_of(words, tmp_path, OURS))
    assert [run["state"] for run in runs] == ["done"] * 10
    assert all(run["metrics"].keys() > {"acc", "iou"} for run in runs)


def test_cases_are_done_in_turns_and_leave_nothing(tmp_path):
    order = []

    def case(name, seconds):
        def measure_once(ground, empty):
            assert (ground / "made").exists()
            assert not list(empty.iterdir())
            (empty / "rubbish").touch()
            order.append(name)
            return Cost(seconds)

        return Case(name, measure_once)

    cases = [case("floor", 1.0), case("ours", 2.0)]
    job = Job("x", "X", "at most 3 x", cases, 2, 3, lambda ground: (ground / "made").touch())
    rows = measure(job, tmp_path)
    assert order == ["floor", "ours"] * 3
    assert not list(tmp_path.iterdir())
    assert "| ours | 2.00 | 2.00, 2.00 | 1 s |" in table(job, rows)
