"""What a search knows of its points, by how their runs have ended."""

import math

import pytest

from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.searches import Prior, Search
from runx.rundir.state import STATES, State
from runx.search.observations import Observation
from runx.sweeps.values import Scalar, Trial
from runx.trials.history import all_failed, history_of, is_reached

NAME = "search-1a2b"
POINTS = {1: {"lr": 0.1}, 2: {"lr": 0.2}}


def search(*metrics, goals=("minimize",), **others):
    hparams = {"lr": {"uniform": [Scalar(0, "0"), Scalar(1, "1")]}}
    metrics = metrics or ("loss",)
    return Search(NAME, metrics, goals, 9, ("lr",), hparams, "gp", "0", **others)


def run(number=1, loss=None, state="done", name="", signal=None, search=NAME, **others):
    name = name or f"{number}-{state}-{loss}"
    place = RunDir(f"/x/{name}")
    measured = {} if loss is None else {"loss-best": loss}
    status = State(state, signal=signal, attempt=1)
    trial = Trial(search, number)
    return RunRecord(name, place, {}, status, {}, measured=measured, trial=trial, **others)


def known(*runs, points=POINTS, held=(), **others):
    return history_of(search(**others), points, runs, held)


def test_a_point_is_worth_the_mean_of_its_seeds_that_are_done():
    runs = [run(1, 0.5), run(1, 1.5), run(1, state="running"), run(1, state="failed")]
    history = known(*runs)
    assert history.observations == (Observation(1, {"lr": 0.1}, (1.0,)),)
    assert history.running == ({"lr": 0.2},)


def test_a_goal_to_maximise_changes_the_sign():
    history = known(run(1, 0.5), goals=("maximize",))
    assert history.observations[0].losses == (-0.5,)
    assert history.best == -0.5


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("done", "pruned")])
def test_each_end_counts_as_it_is(state):
    history = known(run(1, 0.5, state))
    if state in ("failed", "oom", "timeout", "blocked"):
        assert history.observations == (Observation(1, {"lr": 0.1}, (), "failed"),)
    else:
        assert history.observations == ()
        assert {"lr": 0.1} in history.running


@pytest.mark.parametrize(("signal", "is_own"), [("SEGV", True), ("KILL", False), ("TERM", False)])
def test_what_was_killed_from_outside_goes_on_with_its_point(signal, is_own):
    history = known(run(1, None, "killed", signal=signal))
    assert [each.state for each in history.observations] == ["failed"] * is_own


@pytest.mark.parametrize("loss", [None, math.nan, math.inf, -math.inf, "much"])
def test_one_that_is_done_without_a_number_has_failed(loss):
    assert known(run(1, loss)).observations[0].state == "failed"


def test_a_pruned_seed_makes_its_point_pruned():
    history = known(run(1, 0.5), run(1, 0.9, "pruned", epoch=9))
    assert history.observations == (Observation(1, {"lr": 0.1}, (0.9,), "pruned", 9.0),)
    assert history.best is None


def test_a_point_of_which_a_seed_still_runs_has_not_failed_yet():
    assert known(run(1, state="failed"), run(1, state="queued")).observations == ()


def test_runs_of_other_searches_and_points_do_not_count():
    other = run(1, 0.1, search="other")
    assert known(other, run(7, 0.1), run(2, 0.3)).observations == (
        Observation(2, {"lr": 0.2}, (0.3,)),
    )


def test_earlier_runs_count_with_negative_numbers_and_their_goal():
    priors = (Prior({"lr": 0.3}, (0.7,)), Prior({"lr": 0.4}, (0.8,)))
    history = known(goals=("maximize",), warm=priors)
    assert history.observations == (
        Observation(-1, {"lr": 0.3}, (-0.7,)),
        Observation(-2, {"lr": 0.4}, (-0.8,)),
    )
    assert history.best is None


@pytest.mark.parametrize(
    ("goal", "target", "reached"),
    [("minimize", 0.5, True), ("minimize", 0.4, False), ("maximize", 0.5, True)],
)
def test_a_target_is_reached_by_a_point_that_is_done(goal, target, reached):
    own = search(goals=(goal,), target=target)
    history = history_of(own, POINTS, [run(1, 0.5)])
    assert is_reached(own, history) == reached
    assert not is_reached(own, history_of(own, POINTS, [run(1, 0.5, "pruned")]))
    assert not is_reached(own, history_of(own, {}, []))


def test_ends_that_all_failed_are_told_to_nobody_once_they_are_held():
    failed = [run(number, state="failed") for number in range(1, 6)]
    points = {number: {"lr": number / 10} for number in range(1, 20)}
    history = known(*failed, points=points)
    ends = all_failed(history, (), 5)
    assert len(ends) == 5
    assert all_failed(known(*failed[1:], points=points), (), 5) == ()
    assert all_failed(known(*failed, run(6, 0.1), points=points), (), 5) == ()
    keys = [each.key for each in ends]
    later = [run(number, state="failed") for number in range(6, 11)]
    history = known(*failed, *later, points=points, held=keys)
    assert len(history.observations) == 5
    assert len(all_failed(history, keys, 5)) == 5
    assert all_failed(known(*failed, *later[1:], points=points, held=keys), keys, 5) == ()
