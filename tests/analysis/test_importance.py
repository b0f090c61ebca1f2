from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.columns import Column
from runx.analysis.importance import effects, importance, metric_named, omega_squared, pivot
from runx.analysis.question import Question
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State


def run(acc, **hparams):
    name = "-".join(map(str, hparams.values()))
    metrics = {} if acc is None else {"acc": acc}
    return RunRecord(name, RunDir(Path("/logs/sweep") / name), hparams, State("done"), metrics)


ACC = Column("acc", "metric", "acc")
GRID = [
    run(10 * lr + bs / 100 + seed / 10, lr=lr, bs=bs, seed=seed)
    for lr in (1, 2)
    for bs in (1, 2, 3)
    for seed in range(4)
]


def test_the_error_of_an_unknown_metric_has_those_that_exist():
    with pytest.raises(RunxError, match="no run has ac: did you mean acc"):
        importance(GRID, "ac", Question())
    with pytest.raises(RunxError, match="no hyperparameter differs"):
        importance([run(1.0, lr=1)], "acc", Question())


def test_what_moves_the_metric_comes_first_with_its_means():
    results = effects(GRID, metric_named("acc", GRID, Question()), Question())
    assert results[0].name == "lr"
    assert results[0].explained > 0.95
    assert all(effect.explained < 0.05 for effect in results[1:])
    assert [label for label, _, _ in results[0].means] == ["1", "2"]


def test_a_value_of_its_own_in_every_run_explains_nothing():
    runs = [run(float(at % 3), lr=at) for at in range(9)]
    [results] = effects(runs, metric_named("acc", runs, Question()), Question())
    assert results.explained == 0


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


def test_in_a_grid_a_large_effect_is_no_noise_for_a_small_one():
    runs = [
        run(9.0 * lr + 3 * opt + seed / 100, lr=lr, opt=opt, seed=seed)
        for lr in (0, 1)
        for opt in (0, 1)
        for seed in range(3)
    ]
    results = {effect.name: effect.explained for effect in effects(runs, ACC, Question())}
    assert results["lr"] == pytest.approx(0.9, abs=0.01)
    assert results["opt"] == pytest.approx(0.1, abs=0.01)
    assert results["seed"] < 0.01


def test_many_numbers_are_looked_at_in_ranges():
    runs = [run(float(at), lr=at / 100, other=(at * 7) % 40) for at in range(40)]
    results = effects(runs, ACC, Question())
    assert (results[0].name, len(results[0].means)) == ("lr", 5)
    assert results[0].explained > 0.9
    assert results[0].means[0][0] == "0 to 0.07"
