"""The model of a page."""

import json
import math

import pytest
from run_folders import make_run, write_metrics

from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.report.curves import Course
from runx.report.data import best_values, model, name_prefixes, phases
from runx.rundir.paths import ExperimentDir
from runx.sumx import main


def modelled(*folders, question=None, warn=print):
    experiments = [ExperimentDir(folder) for folder in folders]
    reader = Reader(warn=warn)
    records = [run for folder in experiments for run in read_experiment(folder, reader)]
    return model(experiments, records, question or Question(), 100.0, warn)


def test_a_model_is_strict_json_whatever_was_measured(tmp_path):
    folder = make_run(tmp_path / "a", {"lr": 0.1})
    write_metrics(folder, [{"loss": math.nan, "acc": math.inf, "note": "<b>"}])
    text = json.dumps(modelled(tmp_path), allow_nan=False)
    assert "<b>" in text


def test_a_damaged_train_file_is_warned_of_once(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1, 2])
    (folder / "metrics.train.csv").write_text("train,acc\n")
    (folder / "metrics.csv").open("a").write("val,acc\n")
    warnings = []
    modelled(tmp_path, warn=warnings.append)
    assert len(warnings) == 2


def test_runs_without_metrics_make_a_model_too(tmp_path):
    make_run(tmp_path / "a", {"lr": 0.1}, code=1)
    page = modelled(tmp_path)
    assert page["objective"] == ""
    assert page["runs"][0]["state"] == "failed"


def test_the_objective_is_what_was_asked_for_else_a_loss(tmp_path):
    write_metrics(make_run(tmp_path / "a"), [{"accuracy": 1, "loss": 2}])
    assert modelled(tmp_path)["objective"] == "loss"
    question = Question(sortwith=("accuracy",))
    assert modelled(tmp_path, question=question)["objective"] == "accuracy"


def test_each_metric_says_which_way_is_better_and_whether_that_is_known(tmp_path):
    write_metrics(make_run(tmp_path / "a"), [{"accuracy": 1, "loss": 2, "bananas": 3}])
    metrics = modelled(tmp_path)["metrics"]
    directions = {metric["name"]: (metric["lower"], metric["known"]) for metric in metrics}
    assert directions == {
        "accuracy": (False, True),
        "loss": (True, True),
        "bananas": (False, False),
    }


def test_the_best_value_is_no_nan():
    course = Course([0, 1], [0.0, 1.0], {"loss": [math.nan, 2.0], "acc": [math.nan, math.nan]})
    assert best_values(course, Question()) == {"loss": 2.0}
    assert best_values(None, Question()) == {}


def test_runs_of_several_experiments_are_told_apart(tmp_path):
    make_run(tmp_path / "one" / "a")
    make_run(tmp_path / "two" / "a")
    keys = [run["key"] for run in modelled(tmp_path / "one", tmp_path / "two")["runs"]]
    assert keys == ["one/a", "two/a"]


def test_experiments_of_one_name_are_told_apart_by_their_place(tmp_path):
    folders = [ExperimentDir(tmp_path / "x" / "sweep"), ExperimentDir(tmp_path / "y" / "sweep")]
    assert len(set(name_prefixes(folders).values())) == 2


def test_phases_come_in_their_usual_order(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1])
    write_metrics(folder, [{"acc": 1}], phase="train", file="metrics.train.csv")
    write_metrics(folder, [{"acc": 1}], phase="warmup", file="metrics.warmup.csv")
    assert modelled(tmp_path)["phases"] == ["train", "val", "warmup"]
    assert phases([]) == []


def test_the_page_has_the_importance_that_sumx_prints(tmp_path, monkeypatch, capsys):
    for lr in (1, 2, 3):
        for width in (1, 2):
            folder = tmp_path / "sweep" / f"{lr}-{width}"
            make_run(folder, {"lr": lr, "width": width}, acc=[1, 4.0 * lr + width])
    effects = modelled(tmp_path / "sweep")["importances"]["acc"]
    monkeypatch.setattr(
        "sys.argv", ["sumx", str(tmp_path / "sweep"), "--importance", "acc:best", "--json"]
    )
    with pytest.raises(SystemExit):
        main()
    printed = json.loads(capsys.readouterr().out)
    assert [effect["name"] for effect in effects] == [row["hyperparameter"] for row in printed]
    for effect, row in zip(effects, printed, strict=True):
        assert effect["explained"] == pytest.approx(row["explained"], abs=1e-4)
    assert [(effect["trend"], effect["runs"]) for effect in effects] == [(0.9562, 6), (0.2928, 6)]


def test_runs_that_differ_in_nothing_have_neither_importance_nor_groups(tmp_path):
    for name in "ab":
        make_run(tmp_path / name, {"lr": 1}, acc=[1])
    page = modelled(tmp_path)
    assert page["importances"] == {"acc": []}
    assert page["groupings"] == {"keys": ["a", "b"], "choices": []}
