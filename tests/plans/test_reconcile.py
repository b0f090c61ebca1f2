from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.plans.reconcile import NEW, RETRIED, SETTLED, Identity, There, Work, reconcile, told
from runx.rundir import RunDir
from runx.states.state import STATES, State
from runx.types import Point, Run


def there(key, state, name="owl"):
    return There(RunDir(Path(f"/logs/sweep/{name}")), key, State(state), 1)


def run(name="new"):
    return Run(name, RunDir(Path(f"/logs/sweep/{name}")), Point(()))


def outcome(work):
    return (len(work.new), len(work.again), len(work.left), len(work.gone))


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_done_or_on_its_way_is_never_started(state):
    assert outcome(reconcile([("a", run())], [there("a", state)])) == (0, 0, 1, 0)


@pytest.mark.parametrize("state", [name for name in STATES if name not in SETTLED])
def test_everything_else_starts_again(state):
    assert outcome(reconcile([("a", run())], [there("a", state)])) == (0, 1, 0, 0)


def test_every_state_is_either_settled_or_can_be_retried():
    assert {*SETTLED, *RETRIED} == {*STATES, NEW}
    assert not {*SETTLED} & {*RETRIED}


@pytest.mark.parametrize(
    ("planned", "stands", "retried", "expected"),
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
def test_runs_are_matched_one_to_one(planned, stands, retried, expected):
    found = [there(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found, retried)
    assert outcome(work) == expected


def test_of_equal_runs_one_that_has_begun_goes_before_one_that_has_not():
    found = [there("a", "planned", "first"), there("a", "failed", "second")]
    work = reconcile([("a", run())], found)
    assert work.again[0].there.dir.path.name == "second"


KEYS = st.sampled_from("abc")
STANDS = st.lists(st.tuples(KEYS, st.sampled_from(STATES)), max_size=8)


@given(st.lists(KEYS, max_size=8), STANDS)
def test_nothing_is_started_twice_and_every_planned_run_is_accounted_for(planned, stands):
    found = [there(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found)
    assert len(work.new) + len(work.again) + len(work.left) == len(planned)
    touched = [one.there.dir for one in work.again] + [one.dir for one in work.left]
    assert len(set(touched)) == len(touched)
    assert all(one.there.state.name in RETRIED for one in work.again)
    assert all(one.state.name in SETTLED for one in work.left)
    assert {one.id for one in work.gone}.isdisjoint(planned)


@given(st.lists(KEYS, max_size=8), STANDS)
def test_what_is_settled_is_never_passed_over_for_what_is_not(planned, stands):
    found = [there(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found)
    settled = Counter(key for key, state in stands if state in SETTLED)
    for key, count in Counter(planned).items():
        assert sum(one.id == key for one in work.left) == min(count, settled[key])


@given(st.lists(KEYS, max_size=8), STANDS)
def test_once_all_is_done_nothing_more_starts(planned, stands):
    found = [there(key, "done", f"owl{nth}") for nth, (key, _) in enumerate(stands)]
    found += [there(key, "done", f"fox{nth}") for nth, key in enumerate(planned)]
    assert reconcile([(key, run()) for key in planned], found).starting == 0


def test_what_will_be_done_is_told_on_one_line():
    found = [there("a", "done", "1"), there("b", "failed", "2"), there("z", "done", "3")]
    work = reconcile([("a", run()), ("b", run()), ("c", run())], found)
    assert told(work) == (
        "1 done, 1 failed, 1 new: starting 2; 1 no longer in the sweep, left alone"
    )
    assert told(Work((), (), (), ())) == "nothing is planned: starting 0"


@pytest.mark.parametrize(
    ("default", "value", "same"),
    [(0.0, 0, True), (0, False, False), ([1, 2], (1, 2.0), True), ("a", "b", False)],
)
def test_a_default_is_compared_as_values_are(default, value, same):
    identity = Identity(defaults={"x": default})
    assert (identity.of("c", {"x": value}) == identity.of("c", {})) is same


def test_ignored_names_never_count_and_cmd_only_if_named():
    assert Identity(frozenset({"w"})).of("a", {"w": 1}) == Identity().of("a", {})
    assert Identity(frozenset({"w"})).of("a", {}) != Identity(frozenset({"w"})).of("b", {})
    assert Identity(frozenset({"CMD"})).of("a", {}) == Identity(frozenset({"CMD"})).of("b", {})
