from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import RunxError
from runx.importance import effects, importance, metric_named, omega_squared, pivot
from runx.question import Question
from runx.rundir import RunDir
from runx.types import Result


def run(acc, **hparams):
    name = "-".join(map(str, hparams.values()))
    metrics = {} if acc is None else {"acc": acc}
    return Result(name, RunDir(Path("/logs/sweep") / name), hparams, "done", metrics)


GRID = [
    run(10 * lr + bs / 100 + seed / 10, lr=lr, bs=bs, seed=seed)
    for lr in (1, 2)
    for bs in (1, 2, 3)
    for seed in range(4)
]


def test_a_metric_that_is_not_there_is_answered_with_what_is():
    with pytest.raises(RunxError, match="no run has ac: did you mean acc"):
        importance(GRID, "ac", Question())
    with pytest.raises(RunxError, match="no hyperparameter differs"):
        importance([run(1.0, lr=1)], "acc", Question())


def test_what_moves_the_metric_comes_first_with_its_means():
    found = effects(GRID, metric_named("acc", GRID, Question()), Question())
    assert found[0].name == "lr"
    assert found[0].explained > 0.95
    assert [label for label, _, _ in found[0].means] == ["1", "2"]


def test_a_value_of_its_own_in_every_run_explains_nothing():
    runs = [run(float(at % 3), lr=at) for at in range(9)]
    [found] = effects(runs, metric_named("acc", runs, Question()), Question())
    assert found.explained == 0


def test_runs_without_the_metric_do_not_count():
    runs = [*GRID, run(None, lr=9, bs=9, seed=9)]
    table = importance(runs, "acc", Question())
    assert "9:" not in table.rows[0].cells[2]


def test_a_pivot_has_the_means_by_two_hyperparameters():
    table = pivot(GRID, "lr", "bs", "acc", Question())
    assert [column.heading for column in table.columns] == ["lr \\ bs", "1", "2", "3"]
    assert [row.cells[0] for row in table.rows] == [1, 2]
    assert table.rows[0].cells[1] == pytest.approx(10.16)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4), min_size=1, max_size=5))
def test_the_part_explained_is_a_part(numbers):
    assert 0 <= omega_squared(numbers) <= 1
