"""Which rows count where several executions wrote the same epochs."""

import math

import pytest

from runx.analysis.curves import last_metrics, metric_history
from runx.analysis.decode import Execution, counted, counted_records, phase_in
from runx.analysis.measurements import measurements_of
from runx.analysis.read_run import read_run
from runx.analysis.reduce import Measure, series, tally
from runx.report.curves import courses_of
from runx.rundir.paths import RunDir
from runx.rundir.records import Record, encode


def execution(*rows, phase="val", at=0.0, attempt=None, timed=True):
    """Return the text of an execution: a start, and rows (epoch, metrics)."""
    start = {"start/step": 0, **({"attempt": attempt} if attempt else {})}
    lines = [encode("start", start, None, at if timed else None)] if phase == "val" else []
    for nth, (epoch, metrics) in enumerate(rows, 1):
        lines.append(encode(phase, metrics, epoch, at + nth if timed else None))
    return "".join(lines)


def accuracies(*values, begin=0, **more):
    rows = [(begin + nth, {"acc": value}) for nth, value in enumerate(values)]
    return execution(*rows, **more)


MEASURES = [Measure(at, "acc", at) for at in ("max", "min", "mean", "last", "4")]


def measured(text):
    return tally(text.encode(), MEASURES)


def test_an_epoch_is_that_of_the_last_attempt():
    text = accuracies(1, 2, 3, 90, 80) + accuracies(4, 5, begin=3, at=100)
    assert series(text.encode(), "acc") == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert measured(text).measured == {"max": 5, "min": 1, "mean": 3.0, "last": 5, "4": 5}


def test_what_lies_beyond_the_epoch_of_a_resume_is_gone():
    text = accuracies(1, 2, 3, 90, 80) + accuracies(4, begin=3, at=100)
    found = measured(text)
    assert (found.epoch, found.measured) == (3, {"max": 4, "min": 1, "mean": 2.5, "last": 4})


def test_an_attempt_that_wrote_nothing_yet_supersedes_nothing():
    text = accuracies(1, 2) + execution(at=100)
    assert series(text.encode(), "acc") == [(0, 1), (1, 2)]


def test_an_attempt_from_the_start_supersedes_everything():
    text = accuracies(1, 2, 3) + accuracies(9, at=100)
    assert series(text.encode(), "acc") == [(0, 9)]


def test_each_of_three_attempts_supersedes_those_before():
    text = accuracies(1, 2, 3, 4) + accuracies(30, 40, 50, begin=2, at=50)
    text += accuracies(33, begin=2, at=100)
    assert series(text.encode(), "acc") == [(0, 1), (1, 2), (2, 33)]


def test_epochs_may_be_fractions():
    text = execution((0.5, {"acc": 1}), (1.0, {"acc": 2}), (1.5, {"acc": 99}))
    text += execution((1, {"acc": 3}), (1.25, {"acc": 4}), at=9)
    assert series(text.encode(), "acc") == [(0.5, 1), (1, 3), (1.25, 4)]


def test_rows_without_an_epoch_stay():
    text = execution((None, {"acc": 1})) + execution((None, {"acc": 2}), (0, {"acc": 3}), at=9)
    assert [value for _, value in series(text.encode(), "acc")] == [1, 2, 3]
    nan = [Execution(None, ["acc,1,epoch,nan"]), Execution(None, ["acc,2,epoch,nan"])]
    assert counted(nan) == nan


def test_a_later_evaluation_of_other_metrics_supersedes_nothing():
    text = accuracies(1, 2, 3) + execution((0, {"top5": 9}), at=100)
    found = tally(text.encode(), [Measure("best", "acc", "max"), Measure("top", "top5", "max")])
    assert found.measured == {"best": 3, "top": 9}


def test_two_sessions_of_one_attempt_are_no_resume():
    text = accuracies(1, 2, 3, attempt=1) + execution((0, {"acc": 7}), at=9, attempt=1)
    assert series(text.encode(), "acc") == [(1, 2), (2, 3), (0, 7)]
    text += accuracies(8, begin=2, at=20, attempt=2)
    assert series(text.encode(), "acc") == [(1, 2), (0, 7), (2, 8)]


def test_rows_of_one_execution_all_count():
    text = execution((0, {"loss": 1}), (0, {"loss": 3}), (1, {"loss": 5}))
    assert tally(text.encode(), [Measure("m", "loss", "mean")]).measured == {"m": 3.0}


def test_quotes_and_torn_rows_change_nothing():
    text = accuracies(1, 2, 90) + 'val,"a,b",1,epoch,7\n' + accuracies(3, begin=2, at=50) + "val,ac"
    assert measured(text).measured["max"] == 3


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("phase", ["train", "ood"])
def test_phases_with_files_of_their_own_are_told_by_the_starts(tmp_path, phase, timed):
    run = RunDir(tmp_path / "owl")
    run.path.mkdir()
    (run.path / "hparams.json").write_text("{}")
    text = accuracies(1, 2, 90, timed=timed) + accuracies(3, begin=2, at=50, timed=timed)
    run.metrics_of("val").write_text(text)
    rows = accuracies(1, 2, 90, 95, phase=phase, timed=timed)
    # The same epoch twice: without times nobody can say that it is another execution's.
    rows += accuracies(*(5, 3) if timed else (3,), begin=2, at=50, phase=phase, timed=timed)
    run.metrics_of(phase).write_text(rows)
    measure = Measure("m", "acc", "max", phase)
    record, warnings = read_run(run, "x", lambda: 0.0, [measure])
    assert (record.measured, warnings) == ({"m": 5 if timed else 3}, [])
    history = [value for _, value in metric_history(record, "acc", phase)]
    assert history == [1, 2, *((5, 3) if timed else (3,))]
    assert last_metrics(record, phase) == {"acc": 3}
    if timed:
        courses = courses_of(measurements_of(run), lambda *_: None)
        assert courses["val"].metrics == {"acc": [1.0, 2.0, 3.0]}
        assert courses[phase].metrics == {"acc": [1.0, 2.0, 5.0, 3.0]}


def test_records_of_all_phases_are_told_apart():
    records = [
        Record("start", {}, None, 0.0),
        Record("val", {"a": 1}, 0, 1.0),
        Record("test", {"a": 2}, 5, 2.0),
        Record("start", {}, None, 9.0),
        Record("val", {"a": 3}, 0, 10.0),
    ]
    assert [record.metrics["a"] for record in counted_records(records)] == [2, 3]


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("start,a,0\ntest,acc,1\n", "test"),
        ("test,acc,1\nval,acc,2\n", "val"),
        ("start,a,0\n", "val"),
        ("", "val"),
        ("testing,acc,1\n", "val"),
    ],
)
def test_tests_count_where_there_is_no_validation(text, phase):
    assert phase_in(text, "val") == phase
    assert phase_in(text, "train") == "train"


def test_a_script_that_tests_only_has_metrics(tmp_path):
    text = "start,a,0\ntest,acc,1,epoch,0\ntest,acc,3,epoch,1\n"
    found = tally(text.encode(), [Measure("acc:best", "acc", "max")])
    assert (found.metrics, found.epoch, found.measured) == ({"acc": 3}, 1, {"acc:best": 3})
    assert series(text.encode(), "acc") == [(0, 1), (1, 3)]
    assert math.isclose(tally(text.encode(), at=0).metrics["acc"], 1)
