"""Metrics of a run's steps: one row of a table, whoever asks."""

import json

import pytest

from runx.analysis.columns import resolve, value
from runx.analysis.curves import metric_history
from runx.analysis.measurements import measurements_of
from runx.analysis.question import Question
from runx.analysis.read_run import read_run
from runx.analysis.reduce import Measure
from runx.analysis.table import chosen
from runx.errors import RunxError
from runx.rundir.paths import RunDir

_ROWS = {
    "train": "start,start/step,0\nval,acc,0.5,loss,2,epoch,1\nval,acc,0.6,loss,1,epoch,2\n",
    "eval": "start,start/step,0\nval,acc,0.7,f1,0.4,epoch,0\n",
}


def a_run(tmp_path, rows=_ROWS):
    run = RunDir(tmp_path / "sweep" / "wise-owl")
    shared = {"name": "tokens", "dir": "../steps/tokens-3f9a", "after": {}}
    own = [{"name": name, "dir": f"steps/{name}", "after": {}} for name in rows]
    for name, text in rows.items():
        run.step(name).path.mkdir(parents=True)
        run.step(name).metrics.write_text(text)
    run.record.write_text(json.dumps({"hparams": {"lr": 1}, "steps": [shared, *own]}))
    return run


def read(run, *measures, warnings=()):
    record, found = read_run(run, "sweep", lambda: 0.0, measures)
    assert tuple(found) == warnings
    return record


def test_metrics_of_all_steps_stand_in_one_row(tmp_path):
    record = read(a_run(tmp_path))
    assert dict(record.metrics) == {"acc": 0.6, "loss": 1, "eval.acc": 0.7, "f1": 0.4}
    assert record.epoch == 2
    assert record.sources["eval.acc"] == "steps/eval/metrics.csv"


def test_the_best_of_a_metric_is_that_of_its_step(tmp_path):
    run = a_run(tmp_path)
    best = read(run, Measure("loss:max", "loss", "max"), Measure("e", "eval.acc", "max")).measured
    assert best == {"loss:max": 2, "e": 0.7}
    assert metric_history(read(run), "eval.acc", "val") == [(0, 0.7)]
    assert metric_history(read(run), "acc", "val") == [(1, 0.5), (2, 0.6)]


def test_train_metrics_of_a_step_are_of_its_own_file(tmp_path):
    run = a_run(tmp_path)
    run.step("train").metrics_of("train").write_text("train,loss,9,epoch,1\n")
    measured = read(run, Measure("train.loss", "loss", "last", "train")).measured
    assert measured == {"train.loss": 9}


def test_a_row_that_a_later_attempt_has_superseded_does_not_count(tmp_path):
    rows = "start,start/step,0,attempt,1\nval,acc,1,epoch,1\nval,acc,2,epoch,2\n"
    rows += "start,start/step,0,attempt,2\nval,acc,3,epoch,1\n"
    assert metric_history(read(a_run(tmp_path, {"train": rows})), "acc", "val") == [(1, 3)]


def test_a_damaged_row_of_a_step_costs_a_warning(tmp_path):
    run = a_run(tmp_path, {"train": "val,acc,1,epoch,1\nval,acc\n"})
    record, warnings = read_run(run, "sweep", lambda: 0.0)
    assert record.metrics == {"acc": 1}
    assert [each for each in warnings if "steps/train/metrics.csv, line 2" in each]


def test_what_is_no_list_of_steps_is_none(tmp_path):
    run = a_run(tmp_path)
    for steps in (3, "train", [3, {}, {"name": "x"}], {"a": 1}):
        run.record.write_text(json.dumps({"hparams": {}, "steps": steps}))
        assert not measurements_of(run).left.rows


def test_a_change_in_a_step_changes_the_stamps_of_its_run(tmp_path):
    run = a_run(tmp_path)
    before = measurements_of(run).look.fingerprint
    run.step("eval").metrics.write_text(_ROWS["eval"] + "val,acc,0.9,f1,0.9,epoch,1\n")
    assert measurements_of(run).look.fingerprint != before


@pytest.mark.parametrize("nothing", ["eval.acc2", "evil.f1", "eval.eval.acc", "train.f1", "."])
def test_a_name_that_no_step_has_is_none(tmp_path, nothing):
    record = read(a_run(tmp_path), *Question(sortwith=(nothing,)).measures)
    assert not record.measured
    with pytest.raises(RunxError, match="no run has"):
        resolve(nothing, [with_a_step(record)])


def test_a_metric_has_the_name_of_its_step_before_it_if_one_says_so(tmp_path):
    question = Question(sortwith=("eval.f1",), columns=("train.acc", "eval.f1", "train.loss:best"))
    record = with_a_step(read(a_run(tmp_path), *question.measures))
    assert record.measured == {"eval.f1-best": 0.4, "train.acc": 0.6, "train.loss:best": 1}
    assert value(record, resolve("eval.f1", [record])) == 0.4
    for number, where in enumerate(
        ("eval.f1 == 0.4", "eval.f1:max == 0.4 and eval.acc > f1", "train.loss:max == 2")
    ):
        asked = Question(where=where)
        found = with_a_step(read(a_run(tmp_path / str(number)), *asked.measures))
        assert chosen([found], asked) == [found], where
    assert chosen([record], Question(where="eval.f1 > 0.5")) == []


def with_a_step(record):
    """Return a record with steps, which a run has that began; here their names don't matter."""
    return record._replace(steps=(object(),))
