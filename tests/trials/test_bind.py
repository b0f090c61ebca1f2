"""Points bound for runs that start: chosen by what is known, claimed once, given to all seeds."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from project import Project

from runx.locks import acquire, release
from runx.rundir.paths import RunDir
from runx.trials.bind import bind
from runx.trials.main import main

TRAIN = """
import argparse, os
from runx.logx import logx
parser = argparse.ArgumentParser()
for name in ("--x", "--opt", "--seed", "--twice"):
    parser.add_argument(name)
args = parser.parse_args()
logx.initialize(tensorboard=False)
if args.opt == "bad" or "FAILS" in os.environ:
    raise ValueError("no data")
logx.metric("val", {"loss": (float(args.x) - 0.3) ** 2}, 1)
"""
SEARCH = """\
CMD: python train.py
SEARCH: {{metric: loss, trials: {trials}{more}}}
HPARAMS:
  x: {{uniform: [0, 1]}}
"""


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("train.py", TRAIN)
    return project


def searched(project, trials=6, more="", rest=""):
    """Write a search, launch it for a queue that keeps its jobs, and return its runs in order."""
    project.write(".runx", 'FARM: queue\nqueue: {SUBMIT_CMD: "true {{ script }}"}\n')
    more = more and f", {more}"
    project.write("search.yml", SEARCH.format(trials=trials, more=more) + rest)
    project.runx("search.yml")
    runs = [RunDir(path) for path in project.runs("runs/search")]
    return sorted(runs, key=lambda run: json.loads(run.record.read_text())["search"]["point"])


def started(project, run, **environment):
    """Start run.sh as a job does."""
    done = subprocess.run(
        ["bash", run.script],
        env={**project.environment, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return done.returncode


def point(run):
    name = json.loads(run.record.read_text())["search"]
    file = run.path.parent / f".runx/search/{name['name']}/points/{name['point']}.json"
    return json.loads(file.read_text()) if file.exists() else None


def test_later_points_are_chosen_by_what_earlier_ones_have_shown(project):
    runs = searched(project, 9)
    assert [started(project, run) for run in runs] == [0] * 9
    points = [point(run) for run in runs]
    assert [each["known"] for each in points[4:]] == [4, 5, 6, 7, 8]
    losses = [(each["values"]["x"] - 0.3) ** 2 for each in points]
    assert min(losses[3:]) < 0.001
    assert [json.loads(run.hparams.read_text()) for run in runs] == [p["values"] for p in points]


def test_seeds_share_a_point_and_one_start_binds_it_for_all(project):
    runs = searched(project, 2, rest="  seed: {repeat: 3}\n")
    assert started(project, runs[0]) == 0
    assert [run.bound.exists() for run in runs] == [True] * 3 + [False] * 3
    gone = runs[0].path.parent / ".runx/search"
    (bind,) = gone.glob("*/bind.sh")
    bind.write_text("#!/bin/sh\nexit 1\n")
    assert [started(project, run) for run in runs[1:3]] == [0, 0]
    values = [json.loads(run.hparams.read_text()) for run in runs[:3]]
    assert sorted(each["seed"] for each in values) == [0, 1, 2]
    assert len({each["x"] for each in values}) == 1


def test_without_the_lock_a_point_is_bound_all_the_same(project, monkeypatch):
    run = searched(project, 2)[0]
    (folder,) = (run.path.parent / ".runx/search").iterdir()
    lock = acquire(folder / "lock")
    try:
        monkeypatch.setattr("runx.trials.bind._PATIENCE", 0.1)
        assert bind(run) == 0
    finally:
        release(lock)
    assert run.bound.exists()


def test_whoever_binds_at_a_time_each_run_has_one_point(project):
    runs = searched(project, 6, rest="  opt: {choice: [a, b]}\n  seed: {repeat: 2}\n")
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda run: started(project, run), [*runs]))
    assert statuses == [0] * 12
    points = [point(run)["values"] for run in runs]
    assert points[::2] == points[1::2]
    assert len({json.dumps(each) for each in points}) == 6
    for run, values in zip(runs, points, strict=True):
        own = json.loads(run.hparams.read_text())
        assert {name: own[name] for name in values} == values


def test_what_is_to_be_tried_first_is(project):
    runs = searched(project, 5, "try_first: [{x: 0.25}, {x: 0.75}]")
    for run in (runs[3], runs[1], runs[0]):
        assert started(project, run) == 0
    assert point(runs[0])["values"] == {"x": 0.25}
    assert point(runs[1])["values"] == {"x": 0.75}
    assert point(runs[3])["values"]["x"] not in (0.25, 0.75)


def test_the_same_history_gives_the_same_points(project, tmp_path, installed):
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", installed)
    other.write("train.py", TRAIN)
    found = []
    for each in (project, other):
        runs = searched(each, 7)
        assert [started(each, run) for run in runs] == [0] * 7
        found.append([point(run) for run in runs])
    assert found[0] == found[1]


def test_a_target_ends_the_search(project):
    runs = searched(project, 6, "target: 0.5")
    assert [started(project, run) for run in runs] == [0] * 6
    assert [run.bound.exists() for run in runs] == [True] + [False] * 5
    assert '"skipped":"target reached"' in runs[5].events(1).read_text()


def test_a_budget_ends_the_search(project):
    runs = searched(project, 3, "budget: 0.000001 gpu-hours")
    assert [started(project, run) for run in runs] == [0] * 3
    assert [run.bound.exists() for run in runs] == [True, False, False]
    assert '"skipped":"budget spent"' in runs[2].events(1).read_text()


def test_a_launcher_here_says_what_was_skipped_and_held(project):
    project.write("search.yml", SEARCH.format(trials=4, more=", target: 0.5"))
    said = project.runx("search.yml", "-i").stderr
    assert said.count(": skipped\n") == 3
    assert "1 run done, 3 skipped" in said
    assert "1 done, 3 skipped" in project.runx("status", "search").stdout
    project.write("bad.yml", SEARCH.format(trials=9, more="") + "  opt: bad\n")
    said = project.runx("bad.yml", "-i", status=1).stderr
    assert said.count(": held\n") == 1
    assert "all 5 runs that have ended failed: ValueError: no data" in said
    assert "5 of 9 runs failed, 1 held, 3 not started\n5 x ValueError: no data" in said
    assert "1 x " not in said


def test_five_failures_for_one_cause_hold_the_search_until_a_person_lets_it_go_on(project):
    runs = searched(project, 14, rest="  opt: bad\n")
    assert [started(project, run) for run in runs[:7]] == [1] * 5 + [143] * 2
    assert point(runs[5]) is None
    status = project.runx("status", "search", status=1).stdout
    assert "held: all 5 runs that have ended failed: ValueError: no data" in status
    assert "no longer held" in project.runx("release", "search", status=1).stderr
    assert [started(project, run) for run in runs[7:13]] == [1] * 5 + [143]
    assert point(runs[7])["known"] == 0


def test_a_metric_that_no_run_has_holds_the_search(project):
    project.write("train.py", TRAIN.replace('"loss"', '"val_loss"'))
    runs = searched(project, 8)
    assert [started(project, run) for run in runs[:6]] == [0] * 5 + [143]
    text = runs[5].events(1).read_text()
    assert "held: 5 runs are done, and none has loss; they have val_loss" in text


def test_optuna_hidden_from_half_of_the_workers(project):
    runs = searched(project, 8, "sampler: optuna.TPESampler")
    hidden = project.write("hidden/optuna.py", "raise ImportError('hidden')\n").parent
    (program,) = (runs[0].path.parent / ".runx/search").glob("*/bind.sh")
    text = program.read_text()
    for number, run in enumerate(runs):
        hides = text.replace("sys.path[:] = [", f'sys.path[:] = ["{hidden}", ')
        program.write_text(hides if number % 2 else text)
        assert started(project, run) == 0
    samplers = [point(run)["sampler"] for run in runs]
    assert samplers[1::2] == ["qmc"] * 4
    assert "optuna.TPESampler" in samplers[::2]
    assert len({point(run)["values"]["x"] for run in runs}) == 8
    assert "pip install" in runs[1].output.read_text()


def test_a_sampler_of_the_project_is_asked_with_its_frozen_code(project):
    text = "def next_point(space, observations, running, seed):\n    return {'x': seed.trial / 8}\n"
    project.write("mine.py", text)
    runs = searched(project, 3, "sampler: mine:next_point")
    project.write("mine.py", "raise ValueError\n")
    assert [started(project, run) for run in runs] == [0] * 3
    assert "run.sh" not in runs[0].output.read_text()
    assert [point(run)["values"]["x"] for run in runs] == [1 / 8, 2 / 8, 3 / 8]


def test_a_run_that_starts_again_goes_on_with_its_point(project):
    run = searched(project, 2)[0]
    assert started(project, run, FAILS="1") == 1
    before = (point(run), run.bound.read_text())
    project.runx("search.yml", "--resume", "--retry", "failed")
    assert started(project, run) == 0
    assert run.events(2).exists()
    assert (point(run), run.bound.read_text()) == before


def test_a_run_of_no_search_is_refused(project, capsys):
    project.write("plain.yml", "CMD: 'true'\nHPARAMS: {a: 1}\n")
    project.runx("plain.yml", "-i")
    (run,) = project.runs("runs/plain")
    assert main([str(run)]) == 1
    assert "is of no search" in capsys.readouterr().err


def test_what_is_restaged_takes_what_its_launch_sets_and_keeps_its_point(project):
    run = searched(project, 1)[0]
    assert started(project, run, FAILS="1") == 1
    before = point(run)
    text = project.path.joinpath("search.yml").read_text()
    project.write("search.yml", text + "SETUP: echo set up again\n")
    project.runx("search.yml", "--resume", "--retry", "failed", "--restage")
    assert "set up again" in run.bound.read_text() and "set up again" in run.fallback.read_text()
    assert str(before["values"]["x"]) in run.bound.read_text()
    assert point(run) == before


def test_steps_of_a_run_share_its_point(project):
    project.write(
        "search.yml",
        "STEPS:\n"
        "  prepare: {CMD: echo prepared}\n"
        "  train: {CMD: 'python train.py --x {x}', AFTER: prepare}\n"
        "  eval: {CMD: 'echo {x} {twice} {train.dir}', AFTER: train}\n"
        "SEARCH: {metric: loss, trials: 5}\n"
        "HPARAMS: {x: {uniform: [0, 1]}, twice: '{{ 2 * x }}'}\n",
    )
    assert "15 steps done" in project.runx("search.yml", "-i", "-j", "2").stderr
    runs = [RunDir(path) for path in project.runs("runs/search")]
    assert max(point(run)["known"] for run in runs) >= 2
    for run in runs:
        values = json.loads(run.hparams.read_text())
        assert values["x"] == point(run)["values"]["x"] and values["twice"] == 2 * values["x"]
        assert run.step("eval").output.read_text().split()[0] == str(values["x"])
        assert not run.bound.exists()


def test_cases_computed_values_and_a_file_of_its_own(project):
    project.write("show.sh", 'python train.py --x "$1"; cat "$2"\n')
    project.write(
        "search.yml",
        "CMD: 'bash show.sh {x} {config}'\n"
        "ARGS: {style: file}\n"
        "SEARCH: {metric: loss, trials: 6}\n"
        "HPARAMS:\n"
        "  x: {uniform: [0, 1]}\n"
        "  RUNX.CASES: [{opt: sgd}, {opt: adam, beta: {choice: [0.9, 0.99]}}]\n"
        "  RUNX.SKIP: ['x > 0.7']\n"
        "  half: '{{ x / 2 }}'\n"
        "  where: LOGDIR/out\n",
    )
    project.runx("search.yml", "-i", "-j", "2")
    for run in (RunDir(path) for path in project.runs("runs/search")):
        values = json.loads(run.hparams.read_text())
        assert values["x"] <= 0.7 and values["half"] == values["x"] / 2
        assert ("beta" in values) == (values["opt"] == "adam")
        assert values["where"] == f"{run.path}/out"
        assert yaml.safe_load(run.config("yaml").read_text())["half"] == values["half"]


def test_an_experiment_that_was_moved_goes_on_from_where_it_is(project):
    runs = searched(project, 3)
    assert started(project, runs[0]) == 0
    moved = project.path / "elsewhere/search"
    moved.parent.mkdir()
    runs[0].path.parent.rename(moved)
    again = [RunDir(moved / run.path.name) for run in runs]
    assert [started(project, run) for run in again[1:]] == [0, 0]
    assert [point(run) is not None for run in again] == [True] * 3
