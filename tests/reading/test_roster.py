from pathlib import Path

from runx.reading.roster import any_failed, objects, status
from runx.reading.standing import Standing, elapsed, where
from runx.rundir import RunDir
from runx.states.attempts import Attempt, Event, Facts
from runx.states.state import State, state
from runx.types import Result


def standing(name, *attempts, locked=False, **hparams):
    facts = Facts(attempts, locked)
    now = state(facts)
    result = Result(
        name,
        RunDir(Path("/logs/sweep") / name),
        hparams,
        now.name,
        {"acc": 9},
        3,
        experiment="sweep",
    )
    return Standing(result, now, facts)


def began(at, **details):
    return Event("started", at, details)


def ended(at, code):
    return Event("ended", at, {"code": code})


def test_a_run_that_never_started_took_no_time():
    one = standing("a")
    assert (elapsed(one, 100.0), where(one)) == (None, None)


def test_a_live_run_has_taken_the_time_until_now():
    one = standing("a", Attempt(1, (began(40.0),), host="h", process=True), locked=True)
    assert elapsed(one, 100.0) == 60


def test_a_run_that_vanished_took_nobody_knows_how_long():
    one = standing("a", Attempt(1, (began(40.0),), host="h", process=False))
    assert one.state.name == "killed"
    assert elapsed(one, 100.0) is None


def test_the_last_attempt_is_what_is_told():
    first = Attempt(1, (began(0.0), ended(5.0, 1)), host="h")
    second = Attempt(2, (began(10.0), ended(90.0, 0)), host="g")
    one = standing("a", first, second, lr=1)
    assert (elapsed(one, 1e3), where(one)) == (80, "g")


def test_a_farms_job_is_told_with_its_machine():
    waits = Attempt(1, farm="slurm", job="12", host="login")
    assert where(standing("a", waits)) == "slurm 12"
    runs = Attempt(1, (began(0.0),), farm="slurm", job="12", host="node7", silence=1.0)
    assert where(standing("a", runs)) == "slurm 12 on node7"


def test_the_table_has_what_varies_and_how_each_stands():
    one = standing("a", Attempt(1, (began(0.0), ended(321.0, 1)), host="h"), lr=1, same=1)
    two = standing("b", lr=2, same=1)
    summary = status([two, one], 1e3)
    heads = [column.heading for column in summary.columns]
    assert heads == ["run", "lr", "state", "attempt", "elapsed", "acc", "epoch", "where"]
    assert summary.rows[0].cells == ("a", 1, "failed (exit status 1)", 1, 321.0, 9, 3, "h")
    assert summary.rows[1].cells[:5] == ("b", 2, "planned", None, None)


def test_json_tells_how_and_why():
    [found] = objects([standing("a", Attempt(1, (began(0.0), ended(2.0, 137)), host="h"))], 9.0)
    told = {name: found[name] for name in ("state", "reason", "code", "signal", "attempt")}
    assert told == {
        "state": "killed",
        "reason": "by KILL",
        "code": 137,
        "signal": "KILL",
        "attempt": 1,
    }


def test_a_cancelled_run_has_not_failed():
    assert not any_failed([State("cancelled"), State("done"), State("running")])
    assert any_failed([State("done"), State("lost")])
