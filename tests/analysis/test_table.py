from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.columns import identity, varying
from runx.analysis.question import Question
from runx.analysis.table import rank, runs_table
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State


def run(name="owl", hparams=None, acc=None, state="done", **more):
    return RunRecord(
        name=name,
        dir=RunDir(Path("/logs/sweep") / name),
        hparams=hparams or {},
        status=State(state),
        metrics=more.pop("metrics", {} if acc is None else {"acc": acc}),
        experiment=more.pop("experiment", "sweep"),
        **more,
    )


def headings(summary):
    return [column.heading for column in summary.columns]


def order(summary):
    return [row.record.name for row in summary.rows]


def table(runs, **question):
    return runs_table(runs, Question(**question))


def test_the_error_of_an_unknown_metric_has_those_that_exist():
    with pytest.raises(RunxError, match=r"no run has such a metric; there are: acc, loss$"):
        table([run(metrics={"loss": 1, "acc": 2})], sortwith=("accc",))
    with pytest.raises(RunxError, match=r"there is: acc; training's is train.loss$"):
        table([run(metrics={"acc": 2})], sortwith=("loss",))
    with pytest.raises(RunxError, match=r"there is: Loss$"):
        table([run(metrics={"Loss": 2})], sortwith=("loss",))
    with pytest.raises(RunxError, match="no run has metrics yet"):
        table([run()], sortwith=("acc",))


def test_an_expression_sees_lists_as_lists():
    runs = [run("a", {"betas": [0.9, 0.99]}), run("b", {"betas": [0.5, [1]]}), run("c")]
    for where in ("betas[0] > 0.6", "0.9 in betas", "betas == (0.9, 0.99)"):
        assert order(table(runs, where=where)) == ["a"]
    assert order(table(runs, where="len(betas) == 2 and betas[1] == (1,)")) == ["b"]


def test_only_what_differs_of_the_hyperparameters_is_shown():
    runs = [run("a", {"lr": 1, "adam": True}), run("b", {"lr": 2, "adam": True})]
    assert headings(table(runs)) == ["run", "lr", "state"]
    assert headings(table(runs, ignore=("lr",))) == ["run", "state"]


def test_what_differs_of_necessity_does_not_count():
    names = ("logdir", "command", "result_dir", "nbr_workers", "paths", "val_paths")
    assert varying([run("a", dict.fromkeys(names, 1)), run("b", dict.fromkeys(names, 2))]) == []


@pytest.mark.parametrize(
    "value", ["LOGDIR/out", "/logs/sweep/{}", "--out=/logs/sweep/{}/x", ["/old/place/{}/x"]]
)
def test_values_that_hold_the_runs_own_directory_do_not_count(value):
    def placed(name):
        return [value[0].format(name)] if isinstance(value, list) else value.format(name)

    runs = [run(name, {"out": placed(name)}) for name in ("wise-owl", "sly-fox")]
    assert varying(runs) == []


def test_a_value_that_only_looks_like_the_runs_name_counts():
    runs = [run("adam", {"opt": "adam", "data": "LOGDIRS/1"}), run("sgd", {"opt": "sgd"})]
    assert varying(runs) == ["opt", "data"]


def test_a_parameter_left_out_is_the_same_as_null():
    assert varying([run("a", {"lr": None}), run("b")]) == []
    assert varying([run("a", {"lr": 0}), run("b")]) == ["lr"]


def test_one_and_true_differ_and_one_and_its_float_do_not():
    assert varying([run("a", {"x": 1}), run("b", {"x": 1.0})]) == []
    assert varying([run("a", {"x": 1}), run("b", {"x": True})]) == ["x"]
    assert identity([1, {"a": True}]) != identity([1, {"a": 1}])


def test_the_best_is_first_by_number_and_what_has_none_comes_last():
    def measured(name, value):
        return run(name, metrics={"acc": 1}, measured={} if value is None else {"acc-best": value})

    nan = float("nan")
    runs = [
        measured("none", None),
        measured("text", "n/a"),
        measured("nan", nan),
        measured("ten", 10.0),
        measured("nine", 9.5),
    ]
    summary = table(runs, sortwith=("acc",))
    assert order(summary) == ["ten", "nine", "text", "nan", "none"]
    assert headings(summary) == ["run", "acc", "acc-best"]


@pytest.mark.parametrize(
    ("metric", "question", "best"),
    [
        ("loss", {}, "low"),
        ("wer", {}, "low"),
        ("accuracy", {}, "high"),
        ("accuracy", {"lower": ("accuracy",)}, "low"),
        ("loss", {"higher": ("loss",)}, "high"),
    ],
)
def test_the_metrics_name_decides_which_way_is_better(metric, question, best):
    runs = [
        run("low", metrics={metric: 1}, measured={f"{metric}-best": 1}),
        run("high", metrics={metric: 2}, measured={f"{metric}-best": 2}),
    ]
    assert order(table(runs, sortwith=(metric,), **question))[0] == best
    assert order(table(runs, **question))[0] == best


def test_the_measure_that_sorting_needs_is_asked_for():
    [wanted] = Question(("loss",)).measures
    assert wanted == ("loss-best", "loss", "min", "val")
    assert Question(("loss",), higher=("loss",)).measures[0].at == "max"


def test_without_sortwith_a_loss_decides_then_what_has_a_direction():
    def first(*names):
        runs = [
            run("high", metrics=dict.fromkeys(names, 2)),
            run("low", metrics=dict.fromkeys(names, 1)),
        ]
        return order(table(runs))[0]

    assert first("acc", "val_loss") == "low"
    assert first("bananas", "acc") == "high"
    assert first("bananas") == "high"
    assert first("bananas", "apples") == "high"  # by name: nothing decides
    assert order(
        table([run("b", metrics={"x": 1, "y": 9}), run("a", metrics={"x": 2, "y": 1})])
    ) == [
        "a",
        "b",
    ]


def test_a_run_without_metrics_has_that_in_its_state():
    summary = table([run("a", acc=1), run("b", state="running")])
    assert headings(summary)[-1] == "state"
    assert [row.cells[-1] for row in summary.rows] == ["done", "running, no metrics"]


def test_the_state_goes_without_saying_where_all_are_done():
    assert "state" not in headings(table([run("a", acc=1), run("b", acc=2)]))


def test_several_experiments_have_a_column():
    runs = [run("a", acc=1, experiment="x"), run("a", acc=2, experiment="y")]
    assert headings(table(runs))[0] == "experiment"


def test_a_hyperparameter_called_as_a_metric_is_not_mistaken_for_it():
    runs = [
        run("a", {"loss": "ce"}, metrics={"loss": 1}),
        run("b", {"loss": "mse"}, metrics={"loss": 2}),
    ]
    assert headings(table(runs)) == ["run", "hparams.loss", "loss"]


numbers = st.floats(allow_nan=False) | st.integers(-1000, 1000)


@given(st.lists(numbers, min_size=1, max_size=8), st.booleans(), st.randoms())
def test_any_order_of_reading_gives_the_same_table_best_first(values, lower, random):
    runs = [
        run(str(at), acc=value, measured={"acc-best": value}) for at, value in enumerate(values)
    ]
    question = {"sortwith": ("acc",), "lower": ("acc",) if lower else ()}
    summary = table(runs, **question)
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert table(shuffled, **question) == summary
    ranked = [row.record.metrics["acc"] for row in summary.rows]
    assert ranked == sorted(values, reverse=not lower)


values = st.floats() | st.integers() | st.none() | st.text(max_size=3)


@given(st.lists(values), st.booleans())
def test_any_values_have_an_order_with_numbers_first_and_nothing_last(cells, lower):
    ordered = sorted(cells, key=lambda cell: rank(cell, lower))
    kinds = [rank(cell, lower)[0] for cell in ordered]
    assert kinds == sorted(kinds)
    numbers = [cell for cell in ordered if rank(cell, lower)[0] == 0]
    assert numbers == sorted(numbers, reverse=not lower)


def test_a_metric_that_scripts_call_acc_best_is_found_and_sorted_by():
    runs = [run(name, metrics={"acc:best": best}) for name, best in (("a", 1), ("b", 3), ("c", 2))]
    assert order(table(runs, sortwith=("acc:best",))) == ["b", "c", "a"]
    assert order(table(runs, sortwith=("acc:best",), lower=("acc",))) == ["a", "c", "b"]
    assert headings(table(runs, columns=("acc:best",))) == ["run", "acc:best"]


def test_labels_are_a_column_where_they_differ():
    runs = [run("a", labels=("x", "y")), run("b")]
    shown = table(runs)
    assert headings(shown)[:2] == ["run", "labels"]
    assert [row.cells[1] for row in shown.rows] == ["x, y", ""]
    assert "labels" not in headings(table(runs[:1]))
    assert order(table(runs, where="'x' in labels")) == ["a"]


def test_a_hyperparameter_called_labels_goes_before_labels():
    runs = [run("a", {"labels": 3}, labels=("x",)), run("b", {"labels": 4})]
    assert headings(table(runs)) == ["run", "labels", "hparams.labels", "state"]
    assert order(table(runs, where="labels == 4")) == ["b"]
    assert [row.cells[1] for row in table(runs, columns=("labels",)).rows] == [3, 4]
