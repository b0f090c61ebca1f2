"""Histories of metrics, and how a page carries them."""

import base64
import math
import struct

from hypothesis import given
from hypothesis import strategies as st
from run_folders import make_run, write_metrics

from runx.analysis.measurements import measurements_of
from runx.report.curves import Course, courses, courses_of, encoded, packed, thinned
from runx.rundir import tensorboard as events
from runx.rundir.paths import RunDir
from runx.rundir.records import Record


def unpacked(text):
    content = base64.b64decode(text)
    return list(struct.unpack(f"<{len(content) // 4}f", content))


def test_a_damaged_row_is_reported_with_its_file_and_costs_itself_alone(tmp_path):
    run = RunDir(make_run(tmp_path / "a", acc=[1, 2, 3]))
    with run.metrics.open("a") as file:
        file.write("val,acc\n")
    damaged = []
    by_phase = courses_of(
        measurements_of(run), lambda file, line, why: damaged.append((file, line))
    )
    assert by_phase["val"].metrics["acc"] == [1, 2, 3]
    assert damaged == [(run.metrics, 5)]


def test_a_run_without_metrics_has_no_courses(tmp_path):
    assert courses_of(measurements_of(RunDir(make_run(tmp_path / "a"))), print) == {}


def test_a_run_that_only_wrote_to_tensorboard_has_courses_too(tmp_path):
    content = [events.version(1.0)]
    for step in range(3):
        for name in ("val/acc", "train/acc"):
            content.append(events.scalars([(events.tag(name), 0.5 * step)], step, 10.0 * step))
    (tmp_path / "events.out.tfevents.1").write_bytes(b"".join(content))
    by_phase = courses_of(measurements_of(RunDir(tmp_path)), print)
    assert by_phase["val"].metrics["acc"] == by_phase["train"].metrics["acc"] == [0, 0.5, 1]


def test_train_and_validation_lie_side_by_side(tmp_path):
    folder = make_run(tmp_path / "a", acc=[1, 2])
    write_metrics(folder, [{"acc": 3}, {"acc": 4}], phase="train", file="metrics.train.csv")
    by_phase = courses_of(measurements_of(RunDir(folder)), print)
    assert by_phase["val"].metrics["acc"] == [1, 2]
    assert by_phase["train"].metrics["acc"] == [3, 4]


def test_what_a_resumed_run_measures_again_replaces_what_it_had():
    rows = [
        Record("val", {"acc": value}, epoch) for epoch, value in ((0, 1), (1, 2), (1, 5), (2, 6))
    ]
    course = courses(rows)["val"]
    assert (course.epochs, course.metrics["acc"]) == ([0, 1, 2], [1, 5, 6])


def test_a_metric_that_an_epoch_lacks_is_a_gap():
    course = courses([Record("val", {"acc": 1}, 0), Record("val", {"loss": 2}, 1)])["val"]
    assert math.isnan(course.metrics["acc"][1])
    assert math.isnan(course.metrics["loss"][0])


def test_rows_without_epochs_count_from_zero():
    course = courses([Record("val", {"acc": 1}), Record("val", {"acc": 2})])["val"]
    assert course.epochs == [0, 1]


def test_text_is_no_curve():
    assert courses([Record("val", {"note": "good", "acc": 1}, 0)])["val"].metrics == {"acc": [1.0]}


def test_uneven_epochs_are_written_out():
    course = encoded(Course([0, 1, 5], [0.0] * 3, {}))
    assert unpacked(course["x"]) == [0, 1, 5]


def test_a_long_course_keeps_its_first_and_last_point():
    epochs = [float(epoch) for epoch in range(10_001)]
    course = thinned(Course(epochs, epochs, {"acc": epochs}), most=100)
    assert len(course.epochs) <= 102
    assert course.metrics["acc"][0] == 0
    assert course.metrics["acc"][-1] == 10_000


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_numbers_come_out_as_they_went_in(numbers):
    assert unpacked(packed(numbers)) == numbers


def test_what_is_too_large_for_a_float_is_infinite():
    assert unpacked(packed([1e300, -1e300])) == [math.inf, -math.inf]
