"""Rungs: what runs had at an epoch, one entry a run, and what is decided by them."""

import json

import pytest

from runx.errors import StoreError
from runx.rundir.orders import order_of, pruned_by
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.pruning import Asha
from runx.rundir.rungs import Judge, Judgement, entries, judge_of, rungs, stop
from runx.rundir.searches import search_dir


@pytest.fixture
def folder(tmp_path):
    place = search_dir(ExperimentDir(tmp_path / "sweep"), "search-1")
    place.points.mkdir(parents=True)
    return place


def asha(folder):
    return Judge(folder, Asha(1, 2), "val", "acc", "maximize")


def test_a_run_is_judged_beside_those_that_came_before_it(folder):
    judge = asha(folder)
    assert not judge.enter("a", 1, 1, 0.5).verdict.stops
    assert not judge.enter("b", 2, 1, 0.7).verdict.stops
    found = judge.enter("c=d", 3, 1, 0.6)
    assert found.others == {"a": 0.5, "b": 0.7}
    assert found.verdict.why == "epoch 1: 2nd of 3; the best 1 goes on"
    assert rungs(folder) == {1: {"a": 0.5, "b": 0.7, "c=d": 0.6}}


def test_a_run_that_was_requeued_counts_once(folder):
    judge = asha(folder)
    judge.enter("a", 1, 1, 0.5)
    assert judge.enter("a", 1, 1, 0.1) is None
    assert entries(folder, 1) == {"a": 0.5}


def test_seeds_of_a_point_are_no_rivals_of_one_another(folder):
    judge = asha(folder)
    assert not judge.enter("a", 1, 1, 0.5).verdict.stops
    found = judge.enter("b", 1, 1, 0.4)
    assert not found.verdict.stops
    assert not found.others
    assert judge.enter("c", 2, 1, 0.45).others == {"a": 0.5, "b": 0.4}


def test_the_first_epoch_after_a_rung_counts_for_it(folder):
    judge = Judge(folder, Asha(3, 3), "val", "acc", "maximize")
    assert judge.enter("a", 1, 2, 0.5) is None
    assert judge.enter("a", 1, 5, 0.5).epoch == 3
    assert judge.enter("a", 1, 8, 0.6) is None
    assert judge.enter("a", 1, 10.5, 0.6).epoch == 9


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_entered_as_it_is(folder, value):
    asha(folder).enter("a", 1, 1, value)
    assert repr(entries(folder, 1)["a"]) == repr(value)


def test_other_files_in_a_rung_are_no_entries(folder):
    asha(folder).enter("a", 1, 1, 0.5)
    for name in (".nfs0001", "b=", "b=1=high", "0.5", "1=2=x", "b=x=1"):
        (folder.rung(1) / name).touch()
    assert entries(folder, 1) == {"a": 0.5}


@pytest.mark.parametrize(
    ("metric", "phase", "name"),
    [
        ("acc", "val", "acc"),
        ("acc:last", "val", "acc"),
        ("acc@10", "val", "acc"),
        ("train.loss:min", "train", "loss"),
        ("top.1", "val", "top.1"),
        ("eval.acc", "val", "acc"),
        ("eval.test.acc", "test", "acc"),
    ],
)
def test_metrics_are_those_of_sumx_without_the_name_of_a_step(folder, metric, phase, name):
    content = {"version": 1, "metrics": [metric], "goals": ["maximize"], "prune": {"asha": {}}}
    folder.record.write_text(json.dumps(content))
    judge = judge_of(folder, "eval")
    assert (judge.phase, judge.metric) == (phase, name)


def test_without_prune_nothing_is_judged(folder):
    folder.record.write_text('{"version": 1, "metrics": ["acc"], "goals": ["maximize"]}')
    assert judge_of(folder) is None


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"version": 1, "prune": 3}', '{"version": 1, "prune": {"asha": {}}}'],
)
def test_a_damaged_search_is_said(folder, content):
    folder.record.write_text(content)
    with pytest.raises(StoreError, match=r"search\.json"):
        judge_of(folder)


def test_an_order_says_why_and_what_a_run_was_compared_with(folder):
    run = RunDir(folder.path.parents[2] / "wise-owl")
    run.path.mkdir()
    run.record.write_text('{"version": 1, "search": {"name": "search-1", "point": 7}}')
    judge = asha(folder)
    judge.enter("a", 1, 1, 0.5)
    found = judge.enter(run.path.name, 9, 1, 0.2)
    why = found.verdict._replace(why='so "bad"\n')
    stop(judge, run, 2, Judgement(why, *found[1:]))
    assert order_of(run, 2, print) == "prune"
    assert order_of(run, 1, print) is None
    order = pruned_by(run, 2)
    assert order["why"] == "so 'bad'?"
    assert (order["epoch"], order["value"], order["others"]) == (1, 0.2, {"a": 0.5})
    assert run.stop_requested.read_text() == "pruned: so 'bad'?\n"
    assert json.loads(folder.pruned(7).read_text())["why"] == "wise-owl: so 'bad'?"
