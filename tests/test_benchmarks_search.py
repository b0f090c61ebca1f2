"""The benchmarks of search: functions whose least values are known, searches that are played."""

from __future__ import annotations

import json
from random import Random

import pytest

from benchmarks.search.functions import FUNCTIONS
from benchmarks.search.loops import played
from benchmarks.search.ours import OURS, space_for
from benchmarks.search.regret import key_of, play, rows, table
from benchmarks.search.stopping import CURVES, EPOCHS, Ours, worked
from runx.rundir.pruning import Asha
from runx.search.space import values_of


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_value_is_below_the_least(name):
    function, source = FUNCTIONS[name], Random(0)
    space = space_for(function.hparams)
    for _ in range(300):
        parts = space.filled(iter([source.random() for _ in space.dimensions]))
        assert function.value(values_of(space.point(parts))) >= function.least - 1e-9


@pytest.mark.parametrize("width", [1, 8])
def test_a_search_that_is_played_only_gets_better(width):
    function = FUNCTIONS["Branin"]
    result = played(function, OURS["random"](function, 0, 20), 20, width, 0)
    assert len(result.regrets) == 20
    assert result.regrets == sorted(result.regrets, reverse=True)
    again = played(function, OURS["random"](function, 0, 20), 20, width, 0)
    assert again.regrets == result.regrets


def test_what_was_played_is_kept_and_not_played_again(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.search.regret.TRIALS", 3)
    kept = tmp_path / "kept.jsonl"
    first = list(play({"random": OURS["random"]}, 1, kept))
    assert len(first) == 3 * len(FUNCTIONS)
    assert list(play({"random": OURS["random"]}, 1, kept)) == []
    assert [key_of(row) for row in rows(kept)] == [key_of(row) for row in first]
    assert json.loads(kept.read_text().splitlines()[0])["sampler"] == "random"
    assert "| Branin | 1 |" in table(rows(kept), ["random"])


def test_early_stopping_saves_work_and_kills_lose_an_epoch():
    function = FUNCTIONS["training"]

    def work(rule, killed):
        searcher = OURS["random"](function, 0, 12)
        return worked(
            function,
            CURVES[0],
            searcher,
            Ours(rule),
            trials=12,
            width=4,
            seed=0,
            killed=killed,
        ).epochs

    assert work(None, 0.0) == 12 * EPOCHS
    assert work(None, 1.0) == 12 * (EPOCHS + 1)
    assert work(Asha(3, 3), 0.0) < 6 * EPOCHS
