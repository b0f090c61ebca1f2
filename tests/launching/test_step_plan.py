"""Which steps start: by what there is of them, by what they are after, by --retry and --step."""

import pytest

from runx.config.load import load
from runx.config.request import Request
from runx.launching.existing_steps import ExistingStep
from runx.launching.graph import step_runs
from runx.launching.plan import ExistingRun, LaunchOptions, plan, sweep_of
from runx.launching.step_plan import planned_steps
from runx.rundir.events import Attempt, Event
from runx.rundir.state import State

TEXT = """\
STEPS:
  tokens: {CMD: "tok LOGDIR", PER: sweep}
  train: {CMD: "train {args}", AFTER: tokens}
  eval: {CMD: "eval", AFTER: train}
  report: {CMD: "report", AFTER: {eval: ended}, PER: sweep}
HPARAMS: {lr: [1, 2]}
"""
RESUME = LaunchOptions(resume=True)


@pytest.fixture
def sweep(tmp_path):
    (tmp_path / "sweep.yml").write_text(TEXT)
    experiment = load(Request(tmp_path / "sweep.yml", tmp_path, {"HOME": "/none"}))
    names = iter(["owl", "lion"])
    runs = list(plan(experiment, sweep_of(experiment), lambda _: next(names)))
    return experiment, step_runs(experiment, runs), runs


def short(run):
    """Return the name of a step: tokens, owl/train."""
    name = run.name.rpartition("-")[0] or run.name
    return name.replace("steps/", "")


def attempt(number, after=0, code=0):
    start = Event("started", details={"after": after})
    return Attempt(number, (start, Event("ended", details={"code": code})))


def started(sweep, options=RESUME, chosen=None, ids=None, after=None, waits=(), **states):
    """Return the steps that start, and the numbers of their attempts.

    ``states``: those of existing steps, by their short names with _ for /; ``ids`` are other
    identities of some, ``after`` the sums in their starts.
    """
    experiment, graph, _ = sweep
    existing = {}
    for run in graph.steps:
        name = short(run).replace("/", "_")
        if name not in states:
            continue
        state = states[name]
        sums = {"tokens": 0, "owl_train": 1, "lion_train": 1, "owl_eval": 1, "lion_eval": 1}
        sums = {"report": 2, **sums, **(after or {})}
        attempts = (attempt(1, sums[name]),) if state == "done" else (attempt(1, sums[name], 3),)
        id = (ids or {}).get(name, graph.ids[run.dir])
        standing = ExistingRun(run.dir, id, State(state), 1, waits=name in waits)
        existing[run.dir] = ExistingStep(standing, attempts)
    found = planned_steps(experiment, graph, existing, options, chosen)
    return {short(each.run): each.attempt for each in found.attempts}


ALL = dict.fromkeys(
    ("tokens", "owl_train", "lion_train", "owl_eval", "lion_eval", "report"), "done"
)


def test_all_start_where_there_is_none(sweep):
    assert list(started(sweep)) == [
        "tokens",
        "owl/train",
        "owl/eval",
        "lion/train",
        "lion/eval",
        "report",
    ]


def test_none_starts_where_all_are_done(sweep):
    assert started(sweep, **ALL) == {}


def test_what_failed_starts_again_and_what_follows_it(sweep):
    states = {**ALL, "owl_train": "failed", "owl_eval": "planned"}
    assert started(sweep, **states) == {"owl/train": 2, "owl/eval": 2, "report": 2}


def test_what_is_after_a_step_that_runs_again_runs_again(sweep):
    assert started(sweep, **{**ALL, "tokens": "failed"}) == {
        "tokens": 2,
        "owl/train": 2,
        "owl/eval": 2,
        "lion/train": 2,
        "lion/eval": 2,
        "report": 2,
    }


def test_a_step_with_another_command_starts_again_and_leaves_those_before_done(sweep):
    assert started(sweep, ids={"owl_eval": "other"}, **ALL) == {"owl/eval": 2, "report": 2}


def test_a_stale_step_starts_again(sweep):
    assert started(sweep, after={"owl_eval": 0}, **ALL) == {"owl/eval": 2, "report": 2}


def test_a_step_that_was_added_starts_in_existing_runs(sweep):
    states = {name: state for name, state in ALL.items() if not name.endswith("eval")}
    assert started(sweep, **states) == {"owl/eval": 1, "lion/eval": 1, "report": 2}


@pytest.mark.parametrize("state", ["running", "queued", "preempted"])
def test_what_follows_a_step_that_goes_on_waits_for_it(sweep, state):
    states = {"tokens": "done", "owl_train": state, "lion_train": "done", "lion_eval": "done"}
    assert started(sweep, **states) == {"owl/eval": 1, "report": 1}


def test_what_follows_a_step_of_which_nobody_knows_does_not_start(sweep):
    states = {"tokens": "done", "owl_train": "unknown", "lion_train": "done", "lion_eval": "done"}
    assert started(sweep, **states) == {}


def test_retry_narrows_what_starts_and_so_what_follows(sweep):
    options = LaunchOptions(resume=True, retried=("killed", "planned", "new"))
    states = {**ALL, "owl_train": "failed", "owl_eval": "planned", "lion_train": "killed"}
    assert started(sweep, options, **states) == {"lion/train": 2, "lion/eval": 2, "report": 2}


def test_a_step_that_waits_in_another_launcher_is_waited_for_together(sweep):
    states = {"tokens": "queued"}
    assert started(sweep, waits={"tokens"}, **states)["tokens"] == 2
    found = started(sweep, waits={"tokens"}, ids={"tokens": "other"}, **states)
    assert "tokens" not in found and found["owl/train"] == 1


@pytest.mark.parametrize("state", ["done", "failed", "planned"])
def test_a_named_step_starts_again_and_no_other(sweep, state):
    options = LaunchOptions(resume=True, steps=("eval",))
    states = {**ALL, "owl_eval": state}
    assert started(sweep, options, **states) == {"owl/eval": 2, "lion/eval": 2}


def test_a_named_step_does_not_start_before_what_it_is_after_is_done(sweep):
    options = LaunchOptions(resume=True, steps=("eval",))
    states = {**ALL, "owl_train": "failed"}
    assert started(sweep, options, **states) == {"lion/eval": 2}
    changed = started(sweep, options, ids={"owl_train": "other"}, **ALL)
    assert changed == {"owl/eval": 2, "lion/eval": 2}


def test_a_named_step_that_goes_on_is_left_alone(sweep):
    options = LaunchOptions(resume=True, steps=("eval",))
    assert started(sweep, options, **{**ALL, "owl_eval": "running"}) == {"lion/eval": 2}


def test_of_runs_that_were_not_chosen_no_step_starts(sweep):
    _, _, runs = sweep
    found = started(sweep, chosen={runs[0].dir}, tokens="failed")
    assert found == {"tokens": 2, "owl/train": 1, "owl/eval": 1}


def test_a_launch_of_new_runs_starts_failed_shared_steps_again(sweep):
    assert started(sweep, LaunchOptions(), tokens="failed")["tokens"] == 2
    assert "tokens" not in started(sweep, LaunchOptions(), tokens="done")
