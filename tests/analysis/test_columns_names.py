"""What columns are called: nested hyperparameters, metrics beside a run's own, what is left out."""

import pytest
from run_folders import make_run, write_metrics

from runx.analysis.columns import check_ignored, everything, fields, value, varying
from runx.analysis.compare import compare, difference_lines
from runx.analysis.groups import Grouping, grouped
from runx.analysis.importance import effects, importance, pivot
from runx.analysis.question import Question, TableOptions
from runx.analysis.read import Reader, read_experiment
from runx.analysis.table import runs_table
from runx.api.tables import remarks
from runx.errors import RunxError
from runx.export.plots import plot_runs
from runx.report.statistics import statistics
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import dotted


def read(folder, *measures):
    question = Question(columns=measures)
    return list(read_experiment(ExperimentDir(folder), Reader(question.measures, print)))


def headings(table):
    return [column.heading for column in table.columns]


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}]}),
        ({"a": {}, "b": {"c": {}}}, {"a": {}, "b.c": {}}),
        ({"a.b": {"c": 1}}, {"a.b.c": 1}),
        ({"a": {"b.c": 1}}, {"a.b.c": 1}),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 1}),
        ({"a": {"b": 2}, "a.b": 1}, {"a.b": 1}),
        ({"a": 1, "a.b": 2}, {"a": 1, "a.b": 2}),
        ({"a": {"b": None}}, {"a.b": None}),
        ({"": {"": 1}}, {".": 1}),
        ({}, {}),
    ],
)
def test_nested_hyperparameters_are_dotted(nested, flat):
    assert dotted(nested) == flat


@pytest.fixture
def nested(tmp_path):
    """Runs whose scripts gave nested hyperparameters, one of them dotted."""
    for name, lr, seed in (("a", 1, 0), ("b", 2, 0), ("c", 1, 1)):
        hparams = {"optimizer": {"lr": lr, "betas": [0.9]}, "seed": seed}
        make_run(tmp_path / name, hparams, [lr + seed])
    make_run(tmp_path / "d", {"optimizer.lr": 2, "optimizer.betas": [0.9], "seed": 1}, [4])
    return tmp_path


def test_nested_hyperparameters_are_columns_everywhere(nested):
    runs = read(nested)
    assert headings(runs_table(runs, Question()))[:3] == ["run", "optimizer.lr", "seed"]
    for where in ("optimizer.lr == 2", "hp['optimizer.lr'] == 2", "hparams.optimizer.lr == 2"):
        assert {row.cells[0] for row in runs_table(runs, Question(where=where)).rows} == {"b", "d"}
    columns = Question(sortwith=("optimizer.lr",), columns=("optimizer.lr", "optimizer.betas"))
    assert runs_table(runs, columns).rows[0].cells[1:] == (1, [0.9])
    assert len(grouped(runs, Question(), Grouping(by=("optimizer.lr",))).rows) == 2
    assert len(grouped(runs, Question(), Grouping(over=("seed",))).rows) == 2
    assert importance(runs, "acc", Question()).rows[0].cells[0] in ("optimizer.lr", "seed")
    assert len(pivot(runs, "optimizer.lr", "seed", "acc", Question()).rows) == 2
    assert "  + optimizer.lr: 2" in difference_lines(runs[0], runs[1])
    table = compare(runs, ("optimizer.lr=1", "optimizer.lr=2"), (), [runs_metric(runs)])
    assert table.rows[0].cells[1:3] == (1.5, 3.0)
    assert "optimizer.lr" in fields(runs)


def runs_metric(runs):
    [column] = [each for each in runs_table(runs, Question()).columns if each.heading == "acc"]
    return column


def test_what_the_script_adds_is_dotted_before_it_is_joined(tmp_path):
    folder = make_run(tmp_path / "a", {"optimizer.lr": 1})
    (folder / "logx.json").write_text('{"version": 1, "hparams": {"optimizer": {"lr": 9, "b": 2}}}')
    [run] = read(tmp_path)
    assert run.hparams == {"optimizer.lr": 1, "optimizer.b": 2}


@pytest.fixture
def mixed(tmp_path):
    """Runs of which some have text, nothing, lists or truths where others have numbers."""
    values = [0.1, 0.2, "auto", None, [0.1], True, {"a": 1}, float("nan"), 10**400]
    for nth, lr in enumerate(values):
        make_run(tmp_path / f"r{nth}", {"lr": lr, "seed": nth % 2}, [nth])
    make_run(tmp_path / "text", {"seed": 1}, ["high"])
    return tmp_path


@pytest.mark.parametrize("form", ["acc", "lr vs acc", "parallel"])
def test_pictures_of_mixed_values_are_drawn(mixed, form):
    options = TableOptions(("x",), mixed, mixed)
    assert plot_runs(form, read(mixed), options)


def test_mixed_values_stop_nothing(mixed):
    runs = read(mixed)
    for question in (
        Question(sortwith=("lr",)),
        Question(sortwith=("acc",)),
        Question(where="lr > 0.05"),
        Question(all_hparams=True),
    ):
        assert runs_table(runs, question).rows
    for grouping in (Grouping(by=("lr",)), Grouping(over=("seed",), agg=("mean", "max"))):
        assert grouped(runs, Question(), grouping).rows
    assert {effect.name for effect in effects(runs, runs_metric(runs), Question())} >= {"lr"}
    assert pivot(runs, "lr", "seed", "acc", Question()).rows
    keys, bests = [run.name for run in runs], [{"acc": 1.0 * nth} for nth, _ in enumerate(runs)]
    assert statistics(runs, keys, bests, Question())["varying"]
    assert "lr" in varying(runs)


def test_true_and_one_are_two_values_of_a_pivot(tmp_path):
    for nth, lr in enumerate((1, True)):
        make_run(tmp_path / f"r{nth}", {"lr": lr, "seed": nth}, [nth])
    table = pivot(read(tmp_path), "seed", "lr", "acc", Question())
    assert [row.cells[1:] for row in table.rows] == [(0.0, None), (None, 1.0)]


def test_a_metric_is_told_from_a_column_that_every_run_has(tmp_path):
    folder = make_run(tmp_path / "a", {"lr": 1})
    write_metrics(folder, [{"loss": 1, "epoch": 7, "state": 3}])
    [run] = runs = read(tmp_path)
    table = runs_table(runs, Question())
    own = ("loss", "metrics.epoch", "metrics.state")
    assert headings(table) == ["run", *own, "epoch", "epoch_time"]
    assert (everything(run)["epoch"], everything(run)["metrics.epoch"]) == (0, 7)
    asked = runs_table(runs, Question(columns=("metrics.epoch", "epoch", "metrics.loss")))
    assert asked.rows[0].cells == ("a", 7, 0, 1)
    assert runs_table(runs, Question(where="metrics.epoch == 7 and epoch == 0")).rows
    assert "metrics.epoch" in fields(runs)
    assert all(value(run, column) is not None for column in asked.columns)


def test_what_is_to_be_ignored_must_be_there(tmp_path):
    make_run(tmp_path / "a", {"lr": 1, "logdir": "x"}, [1])
    runs = read(tmp_path, "acc:best")
    check_ignored(runs, ("lr", "hparams.lr", "acc", "acc:best", "epoch", "logdir", "paths"))
    with pytest.raises(RunxError, match=r"--ignore accc: no run has it; did you mean acc\?"):
        check_ignored(runs, ("accc",))


def test_a_metric_that_is_ignored_is_not_sorted_by(tmp_path):
    for name in "ab":
        write_metrics(make_run(tmp_path / name, {"lr": name}), [{"loss": 1, "acc": 2}])
    table = runs_table(read(tmp_path), Question(ignore=("loss", "epoch_time", "lr")))
    assert headings(table) == ["run", "acc", "epoch"]
    assert [key.column.heading for key in table.sorted_by] == ["acc"]


def test_where_only_training_is_measured_that_is_said(tmp_path):
    folder = make_run(tmp_path / "a", {"lr": 1})
    write_metrics(folder, [{"loss": 1}], phase="train", file="metrics.train.csv")
    runs = read(tmp_path)
    [line] = remarks(runs, TableOptions(("x",), tmp_path, tmp_path))
    assert "-s train.loss" in line
    assert list(remarks(runs, TableOptions(("x",), tmp_path, tmp_path, ("train.loss",)))) == []
    with pytest.raises(RunxError, match=r"training's is train.loss"):
        runs_table(runs, Question(sortwith=("loss",)))
