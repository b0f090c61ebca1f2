"""The same metrics feed tables, history, plots and the page, and the index remembers them."""

import json
import os
import time

import pytest
from run_folders import make_run, write_metrics

from runx.analysis import measurements
from runx.analysis.curves import last_metrics, metric_history
from runx.analysis.index import MANY, SETTLED
from runx.analysis.read import Reader, read_experiment
from runx.analysis.reduce import Measure
from runx.report.curves import courses_of
from runx.rundir.paths import ExperimentDir

HEAD = "epoch,train_loss,val_acc\n"


def left(folder, *rows, name="out/log.csv"):
    """Make a run that has left a CSV file of training losses and accuracies."""
    make_run(folder, {"lr": 1})
    lines = "".join(f"{at},{loss},{acc}\n" for at, (loss, acc) in enumerate(rows))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(HEAD + lines)
    return folder


def read(experiment, *measures, **more):
    reader = Reader(measures, more.pop("warn", pytest.fail), **more)
    return list(read_experiment(ExperimentDir(experiment), reader))


def ask(experiment, **metrics):
    (experiment / ".runx").mkdir(exist_ok=True)
    content = {"version": 1, "metrics": metrics}
    (experiment / ".runx/metrics.json").write_text(json.dumps(content))


def test_tables_histories_and_the_page_have_the_same_numbers(tmp_path):
    left(tmp_path / "owl", (3, 0.5), (2, 0.7), (1, 0.6))
    best = [Measure("b", "acc", "max"), Measure("t", "loss", "min", "train")]
    [run] = read(tmp_path, *best)
    assert (run.metrics, run.epoch, run.measured) == ({"acc": 0.6}, 2, {"b": 0.7, "t": 1})
    assert run.sources == {"acc": "out/log.csv", "train.loss": "out/log.csv"}
    assert metric_history(run, "acc", "val") == [(0, 0.5), (1, 0.7), (2, 0.6)]
    assert last_metrics(run, "train") == {"loss": 1}
    courses = courses_of(measurements.measurements_of(run.dir), pytest.fail)
    assert courses["val"].metrics == {"acc": [0.5, 0.7, 0.6]}
    assert courses["train"].epochs == [0, 1, 2]
    [early] = read(tmp_path, at=1)
    assert early.metrics == {"acc": 0.7}


def test_where_logx_writes_nothing_is_looked_for(tmp_path, monkeypatch):
    left(tmp_path / "owl", (3, 0.5))
    write_metrics(tmp_path / "owl", [{"acc": 9}])
    monkeypatch.setattr(measurements, "files_left", None)
    [run] = read(tmp_path)
    assert (run.metrics, run.sources) == ({"acc": 9}, {})


def test_a_run_that_has_not_begun_is_not_walked_through(tmp_path, monkeypatch):
    left(tmp_path / "owl", (3, 0.5))
    for file in (tmp_path / "owl/attempts").iterdir():
        file.unlink()
    monkeypatch.setattr(measurements, "files_left", None)
    [run] = read(tmp_path)
    assert (run.state, run.metrics) == ("planned", {})


def test_what_metrics_asks_for_joins_what_logx_wrote(tmp_path):
    make_run(tmp_path / "owl", {}, [8, 9])
    (tmp_path / "owl/output.log").write_text("f1: 0.5\nacc: 3\nloss: 7\n")
    patterns = {"f1": "f1: (.*)", "acc": "acc: (.*)", "train.loss": "loss: (.*)"}
    ask(tmp_path, **{name: {"pattern": pattern} for name, pattern in patterns.items()})
    [run] = read(tmp_path, Measure("t", "loss", "max", "train"))
    assert (run.metrics, run.epoch, run.measured) == ({"acc": 9, "f1": 0.5}, 1, {"t": 7})
    assert run.epoch_time == 10
    assert metric_history(run, "f1", "val") == [(1, 0.5)]
    assert metric_history(run, "acc", "val") == [(0, 8), (1, 9)]


def test_what_metrics_asks_for_comes_before_what_is_found(tmp_path):
    left(tmp_path / "owl", (3, 0.5))
    (tmp_path / "owl/output.log").write_text("acc: 0.9\n")
    ask(tmp_path, acc={"pattern": "acc: (.*)"})
    [run] = read(tmp_path)
    assert (run.metrics, run.sources["acc"]) == ({"acc": 0.9}, "output.log")
    assert run.sources["train.loss"] == "out/log.csv"


@pytest.mark.parametrize("content", ["", "[]", '{"metrics": 3}', '{"metrics": {"a": {"b": 1}}}'])
def test_damaged_metrics_cost_a_warning_at_most(tmp_path, content):
    left(tmp_path / "owl", (3, 0.5))
    ask(tmp_path)
    (tmp_path / ".runx/metrics.json").write_text(content)
    warnings = []
    [run] = read(tmp_path, warn=warnings.append)
    assert run.metrics == {"acc": 0.5}
    assert len(warnings) <= 1


@pytest.fixture
def many(tmp_path):
    """An experiment of runs that are indexed, whose files are old enough not to be doubted."""
    for at in range(MANY):
        left(tmp_path / f"run{at:02}", (1, at))
    (tmp_path / ".runx").mkdir()
    time.sleep(SETTLED / 1e9 + 0.1)
    read(tmp_path)
    return tmp_path


def walked(monkeypatch):
    """Return a list that gets the name of each run that is walked through."""
    names, files_left = [], measurements.files_left

    def counted(look):
        names.append(os.path.basename(look.path))
        return files_left(look)

    monkeypatch.setattr(measurements, "files_left", counted)
    return names


def test_the_index_remembers_walks_and_notices_what_is_new(many, monkeypatch):
    names = walked(monkeypatch)
    runs = read(many)
    assert names == []
    assert runs[5].sources == {"acc": "out/log.csv", "train.loss": "out/log.csv"}
    (many / "run07/new/er").mkdir(parents=True)
    (many / "run07/new/er/more.csv").write_text("epoch,f1\n0,5\n")
    (many / "run08/out/log.csv").write_text(HEAD + "0,1,99\n")
    runs = read(many)
    assert names == ["run07", "run08"]
    assert (runs[7].metrics, runs[8].metrics) == ({"acc": 7, "f1": 5}, {"acc": 99})


def test_other_metrics_void_the_index(many):
    ask(many, f1={"pattern": "f1 (.*)"})
    (many / "run03/output.log").write_text("f1 0.5\n")
    assert read(many)[3].metrics["f1"] == 0.5
