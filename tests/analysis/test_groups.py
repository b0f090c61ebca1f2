from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.groups import Grouping, Spread, best_per, grouped, spread
from runx.analysis.question import Question
from runx.analysis.table import runs_table
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State


def run(name, acc=None, best=None, **hparams):
    return RunRecord(
        name,
        RunDir(Path("/logs/sweep") / name),
        hparams,
        State("done"),
        {} if acc is None else {"acc": acc},
        experiment="sweep",
        measured={} if best is None else {"acc-best": best},
    )


RUNS = [
    run("a", 90.0, lr=1, seed=0),
    run("b", 92.0, lr=1, seed=1),
    run("c", 95.0, lr=2, seed=0),
    run("d", lr=2, seed=1),
]


def table(runs, question=None, **grouping):
    summary = grouped(runs, question or Question(), Grouping(**grouping))
    return (
        [column.heading for column in summary.columns],
        [row.cells for row in summary.rows],
        summary,
    )


def test_the_error_of_an_unknown_name_has_those_that_exist():
    with pytest.raises(RunxError, match="no run has sead: did you mean seed"):
        table(RUNS, over=("sead",))
    with pytest.raises(RunxError, match=r"--agg meen: .*mean"):
        table(RUNS, over=("seed",), agg=("meen",))


def test_seeds_make_one_row_the_best_mean_first():
    heads, rows, summary = table(RUNS, over=("seed",))
    assert heads == ["lr", "acc"]
    assert rows == [(2, Spread((95.0,), 2)), (1, Spread((90.0, 92.0), 2))]
    assert summary.notes == ("incomplete: lr=2 (n=1/2)",)


def test_runs_are_grouped_by_what_is_named():
    heads, rows, _ = table(RUNS, by=("seed",))
    assert heads == ["seed", "acc"]
    assert [row[0] for row in rows] == [0, 1]


def test_what_is_made_of_a_groups_numbers_can_be_chosen():
    heads, rows, _ = table(RUNS, over=("seed",), agg=("mean", "n"))
    assert heads == ["lr", "acc:mean", "acc:n"]
    assert rows == [(2, 95.0, 1), (1, 91.0, 2)]


def test_a_group_without_any_number_is_last_and_empty():
    _, rows, _ = table([run("a", lr=1), run("b", 1.0, lr=2)], by=("lr",))
    assert rows == [(2, Spread((1.0,), 1)), (1, None)]


def test_groups_are_ranked_by_the_mean_of_what_is_asked_for():
    runs = [run("a", 1.0, 9.0, lr=1), run("b", 2.0, 3.0, lr=2)]
    _, rows, _ = table(runs, Question(("acc",)), by=("lr",))
    assert [row[0] for row in rows] == [1, 2]


def test_the_best_run_for_each_value_is_kept():
    summary = best_per(runs_table(RUNS, Question()), "lr")
    assert [row.record.name for row in summary.rows] == ["c", "b"]


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-1e3, 1e3)), min_size=1, max_size=12))
def test_groups_have_the_means_that_pandas_finds(rows):
    pandas = pytest.importorskip("pandas")
    runs = [run(str(at), acc, lr=lr) for at, (lr, acc) in enumerate(rows)]
    expected = pandas.DataFrame(rows, columns=["lr", "acc"]).groupby("lr")["acc"]
    _, got, _ = table(runs, by=("lr",), agg=("mean", "std", "n"))
    for lr, mean, std, number in got:
        assert mean == pytest.approx(expected.mean()[lr], abs=1e-6)
        assert std == pytest.approx(expected.std()[lr], abs=1e-6, nan_ok=True)
        assert number == expected.count()[lr]


def test_text_is_no_number():
    column = runs_table(RUNS).columns[-1]
    assert spread([run("a", "n/a"), run("b")], column, 2) is None


def test_a_group_that_lacks_runs_is_named_on_one_line():
    runs = [run("a", 1.0, lr="two\nlines", seed=0), run("b", lr="two\nlines", seed=1)]
    notes = grouped(runs, Question(), Grouping(over=("seed",), by=("lr",))).notes
    assert notes == (r"incomplete: lr=two\nlines (n=1/2)",)
