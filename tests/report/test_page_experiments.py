"""A page of several experiments: what it lists of them, and new ones while it is open."""

import json

import pytest
from run_folders import make_run

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.errors import RunxError
from runx.report.data import model
from runx.report.follow import Follower
from runx.rundir.experiments import all_experiments
from runx.rundir.paths import ExperimentDir


def an_experiment(root, name, **launch):
    make_run(root / name / "run-1", {"lr": 0.1}, acc=[1, 2])
    experiment = ExperimentDir(root / name)
    if launch:
        folder = experiment.launches / "2026-11-29T07.31.11Z-69296f"
        folder.mkdir(parents=True)
        (folder / "launch.json").write_text(json.dumps({"version": 1, **launch}))
    return experiment


def test_a_page_of_several_lists_their_launches_and_labels(tmp_path):
    experiments = [
        an_experiment(tmp_path, "one", title="Which rate?", note="again", labels=["paper"]),
        an_experiment(tmp_path, "two"),
    ]
    records = [run for each in experiments for run in read_experiment(each, Reader(warn=print))]
    page = model(experiments, records, Question(), 9.0, print)
    assert page["experiment"] == "one, two"
    [one, two] = page["experiments"]
    assert one["labels"] == ["paper"]
    assert one["launches"] == [
        {"when": "2026-11-29T07:31:11Z", "title": "Which rate?", "note": "again"}
    ]
    assert (two["name"], two["launches"], two["labels"]) == ("two", [], [])


def test_all_experiments_are_those_with_runs_of_ours(tmp_path):
    with pytest.raises(RunxError, match="no experiment is there; launch one"):
        all_experiments(tmp_path / "none")
    an_experiment(tmp_path, "one")
    (tmp_path / "empty").mkdir()
    an_experiment(tmp_path, "b[1]*")
    assert [each.path.name for each in all_experiments(tmp_path)] == ["b[1]*", "one"]


def test_a_new_experiment_has_the_page_loaded_anew(tmp_path):
    an_experiment(tmp_path, "one")

    def look():
        return all_experiments(tmp_path)

    following = Follower(look(), Question(), print, look)
    following.start()
    assert following.changes(0.0) == []
    an_experiment(tmp_path, "two")
    assert following.changes(60.0) == [{"kind": "reload"}]
    assert following.changes(120.0) == []
    assert {record.experiment for record in following.records()} == {"one", "two"}
    assert following.log("two/run-1", -1) is not None


def test_experiments_that_were_removed_end_no_page(tmp_path):
    def look():
        raise RunxError("no experiment one")

    following = Follower([an_experiment(tmp_path, "one")], Question(), print, look)
    following.start()
    assert following.changes(0.0) == []
