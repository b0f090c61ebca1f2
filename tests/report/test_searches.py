"""Searches as a page has them."""

from itertools import count

import pytest
from searched import make_search, make_trial, pruned, search_of, write_rung

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.report.data import model
from runx.report.follow import Follower
from runx.rundir.files import to_json
from runx.rundir.paths import ExperimentDir
from runx.rundir.searches import search_dir


@pytest.fixture
def experiment(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    make_search(folder)
    return folder


def ended(code, time):
    return [{"event": "started", "time": 0}, {"event": "ended", "time": time, "code": code}]


def page_of(*folders):
    experiments = [ExperimentDir(folder) for folder in folders]
    reader = Reader(warn=print)
    records = [record for each in experiments for record in read_experiment(each, reader)]
    return model(experiments, records, Question(), 9.0, print)


def a_search(folder):
    make_trial(folder, 1, {"lr": 0.1}, [0.5], events=ended(0, 8), sampler="qmc", known=0)
    make_trial(folder, 2, {"lr": 0.2}, [0.3], events=ended(0, 5), known=0)
    make_trial(folder, 3, {"lr": 0.3}, [0.1], events=pruned(time=6), known=1)
    make_trial(folder, 4, {"lr": 0.4}, events=ended(1, 7), known=2)
    make_trial(folder, 5, {"lr": 0.5}, events=[{"event": "started", "time": 0}], known=3)


def test_points_come_as_they_ended_with_the_best_that_is_done_by_then(experiment):
    a_search(experiment)
    [search] = page_of(experiment)["searches"]
    assert search["ended"] == [(2, 0.3), (3, 0.3), (4, 0.3), (1, 0.3)]
    assert search["best"] == [2]
    assert [(each["state"], each["sampler"], each["known"]) for each in search["points"][:4]] == [
        ("done", "qmc", 0),
        ("done", "tpe", 0),
        ("pruned", "tpe", 1),
        ("failed", "tpe", 2),
    ]
    assert search["points"][0]["runs"] == ["run-01"]
    assert search["said"][0].startswith("main-1a2b3c4d: 4 of 10 points told to tpe")


def test_there_is_no_best_before_a_point_is_done(experiment):
    make_trial(experiment, 1, {"lr": 0.1}, events=ended(1, 3))
    make_trial(experiment, 2, {"lr": 0.1}, [0.2], events=ended(0, 4))
    [search] = page_of(experiment)["searches"]
    assert search["ended"] == [(1, None), (2, 0.2)]


def test_a_rung_says_how_many_came_to_it_and_how_many_were_stopped_there(experiment):
    a_search(experiment)
    write_rung(experiment, 9, {"run-01": 0.5})
    write_rung(experiment, 3, {"run-01": 0.5, "run-02": 0.3, "run-03": 0.9})
    [search] = page_of(experiment)["searches"]
    assert search["rungs"] == [
        {"epoch": 3, "entered": 3, "stopped": 1},
        {"epoch": 9, "entered": 1, "stopped": 0},
    ]


def test_several_metrics_have_a_front(experiment):
    goals = {"metrics": ("loss", "loss:max"), "goals": ("minimize", "maximize")}
    make_search(experiment, search_of(**goals))
    for number, losses in zip(count(1), [[1, 2], [0.5, 1], [1.5, 1.8]], strict=False):
        make_trial(experiment, number, {"lr": number / 10}, losses)
    [search] = page_of(experiment)["searches"]
    assert search["best"] == [1, 2]
    assert search["points"][1]["metrics"] == (0.5, 1.0)


def test_searches_of_several_experiments_are_told_apart(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        make_search(folder)
        make_trial(folder, 1, {"lr": 0.1}, [0.5])
    found = page_of(*folders)["searches"]
    assert [each["id"] for each in found] == ["a/main-1a2b3c4d", "b/main-1a2b3c4d"]
    assert [each["points"][0]["runs"] for each in found] == [["a/run-01"], ["b/run-01"]]


def test_runs_without_a_search_have_none(experiment):
    assert page_of(experiment)["searches"] == []


def test_an_end_for_which_the_search_was_held_is_told_to_nobody(experiment):
    a_search(experiment)
    held = search_dir(ExperimentDir(experiment), "main-1a2b3c4d").held
    held.write_text(to_json({"ends": ["run-04 1"]}))
    [search] = page_of(experiment)["searches"]
    assert [number for number, _ in search["ended"]] == [2, 3, 1]
    assert search["points"][3]["state"] == "waiting"


def test_a_search_that_goes_on_is_followed(experiment):
    make_trial(experiment, 1, {"lr": 0.1}, [0.5])
    follower = Follower([ExperimentDir(experiment)], Question(), print)
    follower.start()
    make_trial(experiment, 2, {"lr": 0.2}, [0.4])
    [*_, change] = follower.changes(1.0)
    [search] = change["statistics"]["searches"]
    assert search["best"] == [2]
