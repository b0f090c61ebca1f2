"""States of steps: of one that ran again, of one that waits in vain, and what they make a run."""

import pytest

from runx.rundir.events import DEPENDENCY, Attempt, Event
from runx.rundir.paths import RunDir
from runx.rundir.state import State
from runx.rundir.step_states import (
    StepEntry,
    begun,
    derived,
    is_stale,
    run_state,
    step_entries,
    step_state,
    step_states,
)

RUN = RunDir("/logs/sweep/wise-owl")


def started(number, after=0):
    return Event("started", details={"pid": 1, "after": after})


def ended(number, code=0, after=0):
    return Attempt(number, (started(number, after), Event("ended", details={"code": code})))


def blocked(number, by="train"):
    end = Event("ended", details={"code": 77, "blocked": by})
    return Attempt(number, (end,))


def entries(**after):
    return [
        StepEntry(name, RUN.step(name), dict.fromkeys(before, "done"), name != "tokens")
        for name, before in after.items()
    ]


CHAIN = entries(tokens=(), train=("tokens",), eval=("train",))


def states(**attempts):
    by_dir = {RUN.step(name): tuple(each) for name, each in attempts.items()}
    return step_states(CHAIN, lambda step: by_dir.get(step, ()), lambda: 0.0)


def test_a_step_that_is_done_and_ran_again_is_what_the_later_attempt_is():
    assert step_state((ended(1), ended(2, 3))).name == "failed"
    assert step_state((ended(1, 3), ended(2))).name == "done"
    assert step_state((ended(1), blocked(2))).name == "blocked"
    claimed_by_a_dead_launcher = Attempt(2, process=False)
    assert step_state((ended(1), claimed_by_a_dead_launcher)).name == "done"


def test_a_step_is_stale_where_what_it_is_after_ran_again():
    assert not is_stale((ended(1, after=2),), 2)
    assert is_stale((ended(1, after=2),), 3)
    assert not is_stale((ended(1, after=2),), 1), "the step before is another one now"
    assert not is_stale((ended(1, 3, after=2),), 3), "it isn't done"
    assert begun((ended(1), Attempt(2))) == 1


def test_a_step_after_a_failed_one_is_blocked_and_so_is_what_follows():
    found = states(tokens=[ended(1, 3)])
    assert {name: str(state) for name, state in found.items()} == {
        "tokens": "failed (exit status 3)",
        "train": "blocked (tokens failed)",
        "eval": "blocked (tokens failed)",
    }
    assert str(run_state(CHAIN, found)) == "blocked (tokens failed)"


def test_what_was_blocked_is_planned_once_the_step_before_is_done():
    found = states(tokens=[ended(1)], train=[ended(1, 3), ended(2)], eval=[blocked(1)])
    assert found["eval"].name == "planned"
    failed = states(tokens=[ended(1)], train=[ended(1, 3)], eval=[blocked(1)])
    assert str(failed["eval"]) == "blocked (train failed)"
    assert str(run_state(CHAIN, failed)) == "failed (train: exit status 3)"


def test_a_done_step_is_planned_again_when_the_step_before_ran_again():
    found = states(tokens=[ended(1)], train=[ended(1), ended(2)], eval=[ended(1, after=1)])
    assert str(found["eval"]) == "planned (what it is after ran again)"
    assert run_state(CHAIN, found).name == "planned"


@pytest.mark.parametrize(
    ("own", "before", "when", "state"),
    [
        ("planned", "failed", "done", "blocked"),
        ("planned", "cancelled", "done", "blocked"),
        ("planned", "lost", "done", "blocked"),
        ("planned", "failed", "ended", "planned"),
        ("planned", "running", "done", "planned"),
        ("planned", "unknown", "done", "planned"),
        ("running", "failed", "done", "running"),
        ("queued", "failed", "done", "queued"),
        ("failed", "failed", "done", "failed"),
        ("done", "failed", "done", "done"),
    ],
)
def test_only_what_has_not_begun_is_blocked(own, before, when, state):
    assert derived(State(own), {"train": State(before)}, {"train": when}, False).name == state


def test_only_a_job_that_its_scheduler_cancelled_for_another_is_blocked():
    before, after = {"train": State("failed")}, {"train": "done"}
    assert derived(State("cancelled"), before, after, False).name == "cancelled"
    assert derived(State("cancelled", DEPENDENCY), before, after, False).name == "blocked"


@pytest.mark.parametrize(
    ("train", "evaluation", "state"),
    [
        ("done", "done", "done"),
        ("done", "running", "running (eval)"),
        ("running", "queued", "running (train)"),
        ("queued", "queued", "queued (train)"),
        ("failed", "blocked", "failed (train)"),
        ("done", "failed", "failed (eval)"),
        ("done", "planned", "planned (eval)"),
        ("planned", "planned", "planned"),
        ("cancelled", "blocked", "cancelled (train)"),
        ("done", "cancelled", "cancelled (eval)"),
    ],
)
def test_the_state_of_a_run_is_that_of_its_steps(train, evaluation, state):
    found = {"tokens": State("done"), "train": State(train), "eval": State(evaluation)}
    assert str(run_state(CHAIN, found)) == state


def test_a_run_without_entries_is_planned():
    assert run_state([], {}).name == "planned"
    assert step_entries(RUN, {}) == [] and step_entries(RUN, {"steps": None}) == []


def test_entries_are_read_from_the_record_of_the_run():
    steps = [
        {"name": "tokens", "dir": "../steps/tokens-1", "after": {}},
        {"name": "train", "dir": "steps/train", "after": {"tokens": "done"}},
    ]
    assert step_entries(RUN, {"steps": steps}) == [
        StepEntry("tokens", RunDir("/logs/sweep/steps/tokens-1"), {}, False),
        StepEntry("train", RUN.step("train"), {"tokens": "done"}, True),
    ]
