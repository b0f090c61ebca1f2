"""Searches as they are launched: what -n says, what lies in their directories, what goes on."""

import json

import pytest
from project import Project

SCRIPT = """\
printf 'start,start/step,0,timestamp,0.0\\nval,acc,%s,epoch,1,timestamp,2.0\\n' "$1" \\
  > "$RUNX_LOGDIR/metrics.csv"
[ -z "$FAILS" ]
"""
YAML = """\
CMD: bash train.sh {x} {seed}
SEARCH: {metric: acc, goal: maximize, trials: 5}
HPARAMS:
  x: {uniform: [0, 1]}
  seed: {repeat: 2}
"""


@pytest.fixture
def project(tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("train.sh", SCRIPT)
    project.write("search.yml", YAML)
    return project


def search_of(project):
    [file] = project.path.glob("runs/search/.runx/search/*/search.json")
    return json.loads(file.read_text()), file.parent


def values_of(project, experiment="runs/search"):
    runs = project.runs(experiment)
    return [json.loads((run / "hparams.json").read_text()) for run in runs]


def test_a_preview_says_what_is_searched_and_writes_nothing(project):
    done = project.runx("search.yml", "-n", "SEARCH.prune=asha", "SEARCH.target=0.9")
    assert done.stderr.splitlines()[:3] == [
        "1 search of 5 points of 2 seeds: gp chooses what may maximize acc",
        "asha stops runs at epochs 1, 3, 9, 27 and so on: 1 in 3 goes on",
        "what remains is skipped once acc is 0.9",
    ]
    assert done.stdout.splitlines() == [f"bash train.sh '{{x}}' {seed}" for seed in (0, 1)] * 5
    assert not (project.path / "runs").exists()


def test_a_table_has_the_ranges_and_the_gpu_hours(project):
    words = ("search.yml", "-n", "--table", "RESOURCES.gpus=2", "RESOURCES.time=3h")
    shown = project.runx(*words).stdout
    assert "uniform: [0, 1]" in shown
    assert "1 search of 5 points of 2 seeds" in shown
    assert "same as another" not in shown
    assert "at most 60 GPU-hours in all" in shown
    content = json.loads(project.runx(*words, "--json").stdout)
    assert content["gpu_hours"] == 60
    search = content["search"]
    assert (search["searches"], search["points"], search["seeds"]) == (1, 5, 2)
    assert search["metrics"] == {"acc": "maximize"}


@pytest.mark.parametrize(
    ("sampler", "jobs", "warned"),
    [("gp", "4", True), ("gp", "2", False), ("random", "4", False), ("tpe", "9", True)],
)
def test_more_at_a_time_than_a_fifth_is_warned_of(project, sampler, jobs, warned):
    done = project.runx("search.yml", "-n", "-i", "-j", jobs, f"SEARCH.sampler={sampler}")
    assert ("more than a fifth of the points" in done.stderr) == warned
    assert ("write MAX_PARALLEL: 2, or less" in done.stderr) == warned


def test_a_missing_library_is_said_with_what_installs_it(project):
    project.write("none/optuna/__init__.py", "raise ImportError('no', name='optuna')")
    words = ("search.yml", "-n", "SEARCH.sampler=optuna.TPESampler")
    done = project.runx(*words, PYTHONPATH=str(project.path / "none"))
    place = "SEARCH.sampler=optuna.TPESampler on the command line: SEARCH.sampler: "
    assert f"warning: {place}" in done.stderr
    assert "pip install 'runx-sweeps[search]'" in done.stderr
    assert "without it each run takes its fallback" in done.stderr


def test_a_sampler_of_ones_own_is_executed_by_a_launch_alone(project):
    project.write("mine.py", "open('executed', 'w')\ndef f(*_): return {'x': 0.5}\n")
    project.runx("search.yml", "-n", "SEARCH.sampler=mine:f")
    assert not (project.path / "executed").exists()
    wrong = project.runx("search.yml", "-i", "SEARCH.sampler=mine:g", status=2)
    assert "SEARCH.sampler: sampler mine:g: module 'mine' has no attribute 'g'" in wrong.stderr
    assert not (project.path / "runs").exists()
    project.runx("search.yml", "-i", "SEARCH.sampler=mine:f", "SEARCH.trials=1")
    assert [each["x"] for each in values_of(project)] == [0.5, 0.5]


def test_more_trials_add_to_the_search_and_what_was_bound_stays(project):
    project.runx("search.yml", "-i")
    before, folder = search_of(project)
    points = {file.name: file.read_text() for file in folder.glob("points/*.json")}
    assert len([name for name in points if "fallback" not in name]) == 5
    project.runx("search.yml", "-i", "--resume", "SEARCH.trials=7", "SEARCH.sampler=tpe")
    after, _ = search_of(project)
    assert (before["trials"], after["trials"], after["sampler"]) == (5, 7, "tpe")
    assert len(project.runs("runs/search")) == 14
    for name, text in points.items():
        assert (folder / "points" / name).read_text() == text
    again = project.runx("search.yml", "-i", "--resume", "SEARCH.trials=7")
    assert "14 done" in again.stderr
    assert len(project.runs("runs/search")) == 14


def test_what_is_asked_anew_holds_though_nothing_starts(project):
    project.runx("search.yml", "-i")
    project.runx("search.yml", "-i", "--resume", "SEARCH.sampler=tpe")
    assert search_of(project)[0]["sampler"] == "tpe"


def test_earlier_runs_count_and_those_that_do_not_are_told(project):
    grid = "CMD: bash train.sh {x} {seed}\nHPARAMS: {x: [0.25, 0.5, 7], seed: 0}\n"
    project.write("grid.yml", grid)
    project.write("bad.yml", grid.replace("[0.25, 0.5, 7]", "0.75"))
    project.runx("grid.yml", "-i")
    project.runx("bad.yml", "-i", status=1, FAILS="1")
    words = ("search.yml", "-i", "SEARCH.warm_start=[grid, bad]")
    told = "2 of 4 earlier runs count; 1 outside of the ranges; 1 without acc, or not done"
    preview = project.runx(*words, "-n")
    assert told in preview.stderr
    done = project.runx(*words)
    assert told in done.stderr
    search, folder = search_of(project)
    assert [each["values"] for each in search["warm"]] == [{"x": 0.25}, {"x": 0.5}]
    assert [each["metrics"] for each in search["warm"]] == [[0.25], [0.5]]
    second = json.loads((folder / "points" / "2.json").read_text())
    assert second["known"] == 3


def test_runs_of_the_best_points_with_more_seeds(project):
    project.runx("search.yml", "-i")
    by_seed = values_of(project)
    best = sorted({each["x"] for each in by_seed}, reverse=True)[:2]
    words = ("search.yml", "-i", "--best", "2", "--of", "search", "seed=7,8,9", "EXP_NAME=final")
    done = project.runx(*words)
    assert "the best 2 of 5 points of search, by acc: " in done.stderr
    final = values_of(project, "runs/final")
    assert sorted({each["x"] for each in final}, reverse=True) == best
    assert sorted(each["seed"] for each in final) == [7, 7, 8, 8, 9, 9]
    records = [json.loads((run / "run.json").read_text()) for run in project.runs("runs/final")]
    assert {record["chosen"]["place"] for record in records} == {1, 2}
    assert all(len(record["chosen"]["runs"]) == 2 for record in records)
    assert not any("search" in record for record in records)
    shown = project.sumx("runs/final", "--sortwith", "acc")
    assert "best 1 of search" in shown
    launch = next(project.path.glob("runs/final/.runx/launches/*/launch.json"))
    assert json.loads(launch.read_text())["best"]["tried"] == 5


def test_a_search_and_its_best_points_from_python(project, monkeypatch):
    import runx

    monkeypatch.chdir(project.path)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    search = {"metric": "acc", "goal": "max", "trials": 3, "sampler": "qmc"}
    hparams = {"x": {"uniform": [0, 1]}, "seed": {"repeat": 2}}
    experiment = runx.Experiment("bash train.sh {x} {seed}", hparams, "search", SEARCH=search)
    runx.launch(experiment.here().plan())
    final = runx.load("search.yml", seed=[4, 5]).best(1, of="search")
    plan = final.plan()
    assert [run.hparams["seed"] for run in plan] == [4, 5]
    assert {run.hparams["x"] for run in plan} == {max(each["x"] for each in values_of(project))}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--best", "9", "--of", "search"), "search has 5 points that are done and have acc"),
        (("--best", "1"), "--best K goes with --of EXPERIMENT"),
        (("--of", "search"), "--best K goes with --of EXPERIMENT"),
        (("--best", "1", "--of", "nowhere"), "no run or experiment nowhere"),
        (("--best", "0", "--of", "search"), "0 is not in the range x>=1"),
        (("--best", "1", "--of", "search", "SEARCH.metric=[acc, loss]"), "use sumx --pareto"),
    ],
)
def test_a_best_that_is_not_there(project, words, message):
    project.runx("search.yml", "-i", "SEARCH.sampler=qmc")
    assert message in project.runx("search.yml", "-n", *words, status=2).stderr


def test_the_best_of_a_grid_need_a_metric(project):
    grid = "CMD: bash train.sh {x} {seed}\nHPARAMS: {x: [0.25, 0.5, inf], seed: {repeat: 2}}\n"
    project.write("grid.yml", grid)
    project.runx("grid.yml", "-i")
    done = project.runx("grid.yml", "-n", "--best", "1", "--of", "grid", status=2)
    assert "no SEARCH says what is best there" in done.stderr
    done = project.runx("grid.yml", "-n", "--best", "1", "--of", "gird", status=2)
    assert "no run or experiment gird in" in done.stderr
    done = project.runx("search.yml", "-n", "--best", "1", "--of", "grid", "seed=5")
    assert done.stdout == "bash train.sh 0.5 5\n"
