"""What there is to tell of runs, by their records."""

from pathlib import Path

import pytest

from runx.analysis.step_records import goes_on
from runx.errors import RunxError
from runx.notify.occasions import best_of, facts, occasions, question_of
from runx.rundir.events import Attempt, Event
from runx.rundir.notify import Notify
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

ALL = Notify("x", ("end", "failure", "best"), "acc")


def run(name, state, ended=None, acc=None, **more):
    events = [Event("started", 0.0, {})]
    events += [Event("ended", ended, {})] if ended is not None else []
    metrics = {} if acc is None else {"acc": acc}
    measured = {f"{name}-best": value for name, value in metrics.items()}
    attempts = (Attempt(1, tuple(events)),)
    status = State(state, attempt=1)
    values = {"measured": measured, "attempts": attempts, "experiment": "sweep", **more}
    return RunRecord(name, RunDir(f"/r/{name}"), {}, status, metrics, **values)


def told(records, notify=ALL, since=0.0):
    best = best_of(records, question_of(notify))
    is_over = not goes_on(ExperimentDir(Path("/r")), records, print)
    found = occasions(records, notify, best, since, is_over)
    return [(each.event, each.run and each.run.name) for each in found]


def test_nothing_is_told_of_nothing():
    assert told([]) == []
    assert told([run("a", "running"), run("b", "queued")]) == []


@pytest.mark.parametrize("state", ["queued", "running", "preempted"])
def test_a_sweep_has_not_ended_while_a_run_goes_on_waits_or_comes_back(state):
    assert told([run("a", "done", 1, 0.5), run("b", state)]) == []


@pytest.mark.parametrize("state", ["planned", "cancelled", "lost", "unknown", "failed"])
def test_what_will_not_go_on_by_itself_is_the_end(state):
    assert told([run("a", "done", 1, 0.5), run("b", state, 2)]) == [("end", None)]


def test_the_first_failure_is_told_and_not_one_of_an_earlier_launch_or_a_cancelled_run():
    going = run("z", "running")
    assert told([run("a", "failed", 5), run("b", "oom", 3), going]) == [("failure", "b")]
    assert told([run("a", "failed", 5), run("b", "oom", 3), going], since=4.0) == [("failure", "a")]
    assert told([run("a", "cancelled", 5), going]) == []
    assert told([run("a", "failed", 5), going], Notify("x", ("end",))) == []


def test_a_best_is_one_that_beats_an_earlier_run():
    going = run("z", "running", None, 0.99)
    assert told([run("a", "done", 5, 0.5), going]) == []
    assert told([run("a", "done", 5, 0.5), run("b", "done", 6, 0.6), going]) == [("best", "b")]
    assert told([run("a", "done", 7, 0.5), run("b", "done", 6, 0.6), going]) == []
    assert told([run("a", "done", 5, 0.6), run("b", "done", 6, 0.6), going]) == []
    nothing = [run("a", "done", 5), run("b", "done", 6, 0.6), going]
    assert told(nothing) == []
    odd = [run("a", "done", 5, float("nan")), run("b", "done", 6, "x"), run("c", "done", 7, 0.1)]
    assert told([*odd, going]) == [("best", "c")]
    lower = ALL._replace(lower=True)
    assert told([run("a", "done", 5, 0.5), run("b", "done", 6, 0.4), going], lower) == [
        ("best", "b")
    ]


def test_the_end_alone_is_told_where_it_has_come():
    runs = [run("a", "done", 5, 0.5), run("b", "failed", 6), run("c", "done", 7, 0.6)]
    assert told(runs) == [("end", None)]
    assert told(runs, ALL._replace(on=("failure", "best"))) == [("failure", "b"), ("best", "c")]


def test_a_metric_that_no_run_has_is_an_error_and_without_any_there_is_no_best():
    runs = [run("a", "done", 5, 0.5)]
    with pytest.raises(RunxError, match="no run has such a metric"):
        best_of(runs, question_of(Notify("x", best="wombat")))
    assert best_of([run("a", "done", 5)], question_of(Notify("x"))) is None
    assert best_of([], question_of(ALL)) is None


def test_what_is_told_are_counts_the_best_and_a_cause():
    runs = [run("a", "done", 5, 0.512345678), run("b", "failed", 6)]
    best = best_of(runs, question_of(ALL))
    [end] = occasions(runs, ALL, best, 0.0, is_over=True)
    assert facts(end, runs, best, "1 x exit status 1") == {
        "event": "end",
        "experiment": "sweep",
        "title": "sweep: ended, 1 done, 1 failed",
        "text": "failed: 1 x exit status 1\nbest: acc-best 0.51235, a",
        "counts": {"done": 1, "failed": 1},
        "run": None,
        "best": {"run": "a", "metric": "acc-best", "value": 0.512345678},
        "cause": "1 x exit status 1",
    }
    [failure] = occasions([*runs, run("c", "running")], ALL, best, 0.0, is_over=False)
    assert facts(failure, runs, None, "")["text"] == "1 done, 1 failed\nb"
