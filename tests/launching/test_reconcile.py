"""Planned runs matched with those that exist: what starts, what is left alone, what is gone."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.launching.plan import (
    NEW,
    RETRIED,
    SETTLED,
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    selected,
)
from runx.launching.reconcile import reconcile, summary
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.state import STATES, State
from runx.sweeps.values import Point


def existing(key, state, name="owl"):
    return ExistingRun(RunDir(Path(f"/logs/sweep/{name}")), key, State(state), 1)


def run(name="new"):
    return Run(name, RunDir(Path(f"/logs/sweep/{name}")), Point(()))


def outcome(plan):
    new = sum(each.is_new for each in plan.attempts)
    return (new, len(plan.attempts) - new, len(plan.left), len(plan.gone))


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_done_or_on_its_way_is_never_started(state):
    assert outcome(reconcile([("a", run())], [existing("a", state)])) == (0, 0, 1, 0)


@pytest.mark.parametrize("state", [name for name in STATES if name not in SETTLED])
def test_everything_else_starts_again(state):
    assert outcome(reconcile([("a", run())], [existing("a", state)])) == (0, 1, 0, 0)


def test_every_state_is_either_settled_or_can_be_retried():
    assert {*SETTLED, *RETRIED} == {*STATES, NEW}
    assert not {*SETTLED} & {*RETRIED}


@pytest.mark.parametrize(
    ("planned", "states", "retried", "expected"),
    [
        ("", [], RETRIED, (0, 0, 0, 0)),
        ("a", [], RETRIED, (1, 0, 0, 0)),
        ("a", [("b", "done")], RETRIED, (1, 0, 0, 1)),
        ("aa", [("a", "done")], RETRIED, (1, 0, 1, 0)),
        ("aa", [("a", "failed")], RETRIED, (1, 1, 0, 0)),
        ("a", [("a", "failed"), ("a", "done")], RETRIED, (0, 0, 1, 0)),
        ("a", [("a", "failed"), ("a", "running")], RETRIED, (0, 0, 1, 0)),
        ("aa", [("a", "failed"), ("a", "done"), ("a", "done")], RETRIED, (0, 0, 2, 0)),
        ("ab", [("a", "failed"), ("b", "killed")], ("killed",), (0, 1, 1, 0)),
        ("ab", [("a", "failed")], ("new",), (1, 0, 1, 0)),
        ("ab", [("a", "failed")], ("failed",), (0, 1, 0, 0)),
    ],
)
def test_runs_are_matched_one_to_one(planned, states, retried, expected):
    runs = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(states)]
    plan = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], runs, retried)
    assert outcome(plan) == expected


def test_a_run_that_starts_again_keeps_its_name_and_gets_the_next_attempt():
    [attempt] = reconcile([("a", run("new"))], [existing("a", "failed", "owl")]).attempts
    assert (attempt.run.name, attempt.attempt, attempt.state) == ("owl", 2, "failed")
    assert attempt.run.dir.path.name == "owl"


def test_what_is_shuffled_and_limited_still_starts_existing_runs_first():
    runs = [existing(key, "failed", key) for key in "abc"]
    full = reconcile([(key, run(key)) for key in "abcdef"], runs)
    few = selected(full, LaunchOptions(limit=4, seed=0))
    assert len(few.attempts) == 4
    assert [each.is_new for each in few.attempts] == sorted(each.is_new for each in few.attempts)
    assert selected(full, LaunchOptions()) is full


def test_of_equal_runs_one_that_has_begun_goes_before_one_that_has_not():
    runs = [existing("a", "planned", "first"), existing("a", "failed", "second")]
    plan = reconcile([("a", run())], runs)
    assert plan.attempts[0].run.name == "second"


KEYS = st.sampled_from("abc")
STATES_OF_KEYS = st.lists(st.tuples(KEYS, st.sampled_from(STATES)), max_size=8)


@given(st.lists(KEYS, max_size=8), STATES_OF_KEYS)
def test_nothing_is_started_twice_and_every_planned_run_is_accounted_for(planned, states):
    runs = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(states)]
    plan = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], runs)
    assert len(plan.attempts) + len(plan.left) == len(planned)
    touched = [run.dir for run in plan.runs] + [each.dir for each in plan.left]
    assert len(set(touched)) == len(touched)
    assert all(each.state in RETRIED for each in plan.attempts)
    assert all(each.state.name in SETTLED for each in plan.left)
    assert {each.id for each in plan.gone}.isdisjoint(planned)


@given(st.lists(KEYS, max_size=8), STATES_OF_KEYS)
def test_what_is_settled_is_never_passed_over_for_what_is_not(planned, states):
    runs = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(states)]
    plan = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], runs)
    settled = Counter(key for key, state in states if state in SETTLED)
    for key, count in Counter(planned).items():
        assert sum(each.id == key for each in plan.left) == min(count, settled[key])


@given(st.lists(KEYS, max_size=8), STATES_OF_KEYS)
def test_once_all_is_done_nothing_more_starts(planned, states):
    runs = [existing(key, "done", f"owl{nth}") for nth, (key, _) in enumerate(states)]
    runs += [existing(key, "done", f"fox{nth}") for nth, key in enumerate(planned)]
    assert reconcile([(key, run()) for key in planned], runs).attempts == ()


def test_what_will_be_done_is_one_line():
    runs = [existing("a", "done", "1"), existing("b", "failed", "2"), existing("z", "done", "3")]
    plan = reconcile([("a", run()), ("b", run()), ("c", run())], runs)
    assert summary(plan) == (
        "1 done, 1 failed, 1 new: starting 2; 1 no longer in the sweep, left alone"
    )
    assert summary(LaunchPlan(())) == "nothing is planned: starting 0"
