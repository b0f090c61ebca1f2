from pathlib import Path

from runx.analysis.overview import any_failed, runs_as_json, status_table
from runx.analysis.question import Question
from runx.rundir.events import Attempt, Event, JobAddress
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State, state


def record(name, *attempts, locked=False, **hparams):
    attempts = tuple(attempt._replace(locked=locked) for attempt in attempts)
    return RunRecord(
        name,
        RunDir(Path("/logs/sweep") / name),
        hparams,
        state(attempts),
        {"acc": 9},
        3,
        experiment="sweep",
        attempts=attempts,
    )


def began(at, **details):
    return Event("started", at, details)


def ended(at, code):
    return Event("ended", at, {"code": code})


def test_a_run_that_never_started_took_no_time():
    one = record("a")
    assert (one.elapsed(100.0), one.where) == (None, None)


def test_a_live_run_has_taken_the_time_until_now():
    one = record("a", Attempt(1, (began(40.0),), host="h", process=True), locked=True)
    assert one.elapsed(100.0) == 60


def test_a_run_that_vanished_has_no_elapsed_time():
    one = record("a", Attempt(1, (began(40.0),), host="h", process=False))
    assert one.state == "killed"
    assert one.elapsed(100.0) is None


def test_the_last_attempt_is_what_is_shown():
    first = Attempt(1, (began(0.0), ended(5.0, 1)), host="h")
    second = Attempt(2, (began(10.0), ended(90.0, 0)), host="g")
    one = record("a", first, second, lr=1)
    assert (one.elapsed(1e3), one.where) == (80, "g")


def test_a_farms_job_is_shown_with_its_machine():
    waits = Attempt(1, farm="slurm", job=JobAddress("slurm", id="12"), host="login")
    assert record("a", waits).where == "slurm 12"
    runs = waits._replace(events=(began(0.0),), host="node7", silence=1.0)
    assert record("a", runs).where == "slurm 12 on node7"


def test_the_table_has_what_varies_and_how_each_stands():
    one = record("a", Attempt(1, (began(0.0), ended(321.0, 1)), host="h"), lr=1, same=1)
    two = record("b", lr=2, same=1)
    summary = status_table([two, one], 1e3)
    heads = [column.heading for column in summary.columns]
    assert heads == ["run", "lr", "state", "attempt", "elapsed", "acc", "epoch", "where"]
    assert summary.rows[0].cells == ("a", 1, "failed (exit status 1)", 1, 321.0, 9, 3, "h")
    assert summary.rows[1].cells[:5] == ("b", 2, "planned", None, None)


def test_the_table_is_sorted_by_what_is_asked_for():
    runs = [record("a", lr=1), record("b", lr=3), record("c", lr=2)]
    summary = status_table(runs, 1e3, Question(sortwith=("lr",), higher=("lr",)))
    assert [row.cells[:2] for row in summary.rows] == [("b", 3), ("c", 2), ("a", 1)]
    assert [key.column.heading for key in summary.sorted_by] == ["lr"]


def test_json_has_the_reason_and_the_exit_status():
    [content] = runs_as_json(
        [record("a", Attempt(1, (began(0.0), ended(2.0, 137)), host="h"))], 9.0
    )
    status_of_run = {
        name: content[name] for name in ("state", "reason", "exit_code", "signal", "attempt")
    }
    assert status_of_run == {
        "state": "killed",
        "reason": "by KILL",
        "exit_code": 137,
        "signal": "KILL",
        "attempt": 1,
    }


def test_a_cancelled_run_has_not_failed():
    assert not any_failed([State("cancelled"), State("done"), State("running")])
    assert any_failed([State("done"), State("lost")])
