"""From an experiment to its runs, without touching anything."""

import copy
from collections import Counter
from math import prod
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.config.load import Request, load
from runx.errors import SweepError
from runx.launching.plan import (
    MAX_RUNS,
    NEW,
    RETRIED,
    SETTLED,
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    plan,
    reconcile,
    run_id,
    selected,
    summary,
    sweep_of,
)
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.state import STATES, State
from runx.sweeps.values import Point

names = st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), unique=True, max_size=4)
grids = names.flatmap(
    lambda keys: st.fixed_dictionaries(
        {key: st.lists(st.integers(0, 9), min_size=1, max_size=3) for key in keys}
    )
)


def experiment(folder: Path, hparams: object, cmd: str = "train"):
    file = folder / "sweep.yml"
    file.write_text(f"CMD: {cmd}\nHPARAMS: {hparams}\n")
    return load(Request(file, folder, {"HOME": "/none"}))


def counted():
    made = iter(range(10**9))
    return lambda point: f"{point.tag}run{next(made)}"


def planned(found, max_runs=MAX_RUNS):
    return plan(found, sweep_of(found, max_runs), counted())


@given(grid=grids)
def test_a_plan_has_as_many_runs_as_the_product_of_its_axes(tmp_path_factory, grid):
    found = experiment(tmp_path_factory.mktemp("plan"), grid)
    runs = list(planned(found))
    assert len(runs) == prod(map(len, grid.values()))
    assert len({run.name for run in runs}) == len(runs)


@given(grid=grids)
def test_planning_changes_nothing_and_gives_the_same_again(tmp_path_factory, grid):
    found = experiment(tmp_path_factory.mktemp("plan"), grid)
    before = copy.deepcopy(found.hparams)
    first, second = (list(planned(found)) for _ in range(2))
    assert found.hparams == before
    assert first == second


def test_a_plan_is_made_one_run_at_a_time(tmp_path):
    axis = list(range(50))
    runs = planned(experiment(tmp_path, {"a": axis, "b": axis}))
    assert next(runs).hparams == {"a": 0, "b": 0}


def test_more_runs_than_are_allowed_are_refused_before_any_is_made(tmp_path):
    found = experiment(tmp_path, {"a": [1, 2], "b": [1, 2]})
    with pytest.raises(SweepError, match="4 combinations, more than 3; say --max-runs 4"):
        next(planned(found, max_runs=3))


def test_a_runs_identity_is_its_command_and_typed_values_and_nothing_else(tmp_path):
    def identity(hparams: object, cmd: str = "train") -> str:
        found = experiment(tmp_path, hparams, cmd)
        return run_id(found, next(planned(found)))

    assert identity("{lr: 1}") == identity("{lr: 1.0}") == identity("{lr: 1, RUNX.TAG: x}")
    assert identity("{lr: 1}") == identity("{lr: 1, SUBMIT_JOB.NODES: 4}")
    assert identity("{lr: 1}") != identity("{lr: true}")
    assert identity("{lr: 1}") != identity("{lr: 1}", cmd="test")


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
    found = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found, retried)
    assert outcome(work) == expected


def test_a_run_that_starts_again_keeps_its_name_and_gets_the_next_attempt():
    [attempt] = reconcile([("a", run("new"))], [existing("a", "failed", "owl")]).attempts
    assert (attempt.run.name, attempt.attempt, attempt.state) == ("owl", 2, "failed")
    assert attempt.run.dir.path.name == "owl"


def test_what_is_shuffled_and_limited_still_starts_existing_runs_first():
    found = [existing(key, "failed", key) for key in "abc"]
    whole = reconcile([(key, run(key)) for key in "abcdef"], found)
    few = selected(whole, LaunchOptions(limit=4, seed=0))
    assert len(few.attempts) == 4
    assert [each.is_new for each in few.attempts] == sorted(each.is_new for each in few.attempts)
    assert selected(whole, LaunchOptions()) is whole


def test_of_equal_runs_one_that_has_begun_goes_before_one_that_has_not():
    found = [existing("a", "planned", "first"), existing("a", "failed", "second")]
    work = reconcile([("a", run())], found)
    assert work.attempts[0].run.name == "second"


KEYS = st.sampled_from("abc")
STANDS = st.lists(st.tuples(KEYS, st.sampled_from(STATES)), max_size=8)


@given(st.lists(KEYS, max_size=8), STANDS)
def test_nothing_is_started_twice_and_every_planned_run_is_accounted_for(planned, stands):
    found = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found)
    assert len(work.attempts) + len(work.left) == len(planned)
    touched = [run.dir for run in work.runs] + [one.dir for one in work.left]
    assert len(set(touched)) == len(touched)
    assert all(one.state in RETRIED for one in work.attempts)
    assert all(one.state.name in SETTLED for one in work.left)
    assert {one.id for one in work.gone}.isdisjoint(planned)


@given(st.lists(KEYS, max_size=8), STANDS)
def test_what_is_settled_is_never_passed_over_for_what_is_not(planned, stands):
    found = [existing(key, state, f"owl{nth}") for nth, (key, state) in enumerate(stands)]
    work = reconcile([(key, run(f"new{nth}")) for nth, key in enumerate(planned)], found)
    settled = Counter(key for key, state in stands if state in SETTLED)
    for key, count in Counter(planned).items():
        assert sum(one.id == key for one in work.left) == min(count, settled[key])


@given(st.lists(KEYS, max_size=8), STANDS)
def test_once_all_is_done_nothing_more_starts(planned, stands):
    found = [existing(key, "done", f"owl{nth}") for nth, (key, _) in enumerate(stands)]
    found += [existing(key, "done", f"fox{nth}") for nth, key in enumerate(planned)]
    assert reconcile([(key, run()) for key in planned], found).attempts == ()


def test_what_will_be_done_is_said_on_one_line():
    found = [existing("a", "done", "1"), existing("b", "failed", "2"), existing("z", "done", "3")]
    work = reconcile([("a", run()), ("b", run()), ("c", run())], found)
    assert summary(work) == (
        "1 done, 1 failed, 1 new: starting 2; 1 no longer in the sweep, left alone"
    )
    assert summary(LaunchPlan(())) == "nothing is planned: starting 0"
