import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.decode import parse_rows, split_rows
from runx.analysis.reduce import Measure, pooled, series, tally, tally_of
from runx.rundir.records import Record, encode, rows


def file(*epochs, start=0.0, each=10.0, name="acc"):
    """A metrics file: a start row, and one validation row for each value."""
    lines = [encode("start", {"start/step": 0}, None, start)]
    lines += [
        encode("val", {name: value}, epoch, start + each * (epoch + 1))
        for epoch, value in enumerate(epochs)
    ]
    return "".join(lines).encode()


def test_no_rows_have_no_metrics():
    assert tally(b"") == ({}, None, None, {})
    assert tally(file()) == ({}, None, None, {})


def test_a_torn_last_row_costs_itself_and_a_complaint():
    complaints = []
    result = tally(file(1, 2) + b"val,acc,3,ep", damaged=lambda *row: complaints.append(row))
    assert result.metrics == {"acc": 2}
    assert complaints == [(4, "torn: it ends without a newline")]


def test_a_damaged_row_that_counts_is_warned_of_by_its_line():
    complaints = []
    content = file(1) + b"val,acc\n"
    assert tally(content, damaged=lambda *row: complaints.append(row)).metrics == {"acc": 1}
    assert [line for line, _ in complaints] == [3]


def test_the_last_epoch_is_what_counts():
    result = tally(file(1, 9, 3))
    assert result.metrics == {"acc": 3}
    assert result.epoch == 2


def test_metrics_of_one_epoch_in_several_rows_belong_together():
    content = b"val,acc,1,epoch,1\nval,loss,5,acc,2,epoch,2\nval,loss,6,epoch,2\n"
    assert tally(content).metrics == {"loss": 6, "acc": 2}


def test_rows_of_the_original_are_read():
    content = b"start,start/step,0,timestamp,1.5\r\nval,acc,tensor(0.5),epoch,0,timestamp,2.5\r\n"
    assert tally(content, [Measure("best", "acc", "max")]) == ({"acc": 0.5}, 0, 1.0, {"best": 0.5})


def test_rows_without_epoch_and_time_are_read():
    assert tally(b"val,acc,1\nval,acc,2\n") == ({"acc": 2}, None, None, {})


@pytest.mark.parametrize(
    ("epochs", "times", "expected"),
    [
        ([0, 1, 2], [10, 20, 30], 10),
        ([1, 2, 3], [10, 20, 30], 10),
        ([0], [10], 10),
        ([1], [10], 10),
        ([4, 9, 14], [50, 100, 150], 10),
        ([5, 10], [50, 100], 10),
        ([0, 0, 1, 1], [5, 10, 15, 20], 10),
    ],
)
def test_an_epoch_takes_its_share_of_the_time(epochs, times, expected):
    lines = [encode("start", {}, None, 0.0)]
    lines += [encode("val", {"a": 1}, *row) for row in zip(epochs, times, strict=True)]
    assert tally("".join(lines).encode()).epoch_time == expected


def test_the_time_between_two_attempts_counts_for_nothing():
    second_attempt = b"start,start/step,0,timestamp,1000\nval,acc,1,epoch,2,timestamp,1010\n"
    assert tally(file(1, 2) + second_attempt).epoch_time == 10


def test_without_a_start_the_first_row_begins_the_time():
    assert tally(b"val,a,1,epoch,1,timestamp,5\nval,a,1,epoch,2,timestamp,8\n").epoch_time == 3
    assert tally(b"val,a,1,epoch,1,timestamp,5\n").epoch_time is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [("max", 10.0), ("min", 9), ("mean", 9.5), ("last", 9.5), ("1", 10.0), ("7", None)],
)
def test_a_measure_finds_its_number(at, expected):
    assert tally(file(9, 10.0, 9.5), [Measure("m", "acc", at)]).measured.get("m") == expected


def test_numbers_are_compared_as_numbers():
    assert tally(file(9.5, 10.0), [Measure("m", "acc", "max")]).measured == {"m": 10.0}


def test_nan_is_the_best_only_where_there_is_nothing_else():
    nan, best = float("nan"), [Measure("m", "acc", "max")]
    assert tally(file(nan, 1, nan), best).measured == {"m": 1}
    assert math.isnan(tally(file(nan), best).measured["m"])


def test_a_value_that_reads_like_a_name_is_not_taken_for_it():
    content = b"val,note,acc,acc,3,epoch,1\n"
    assert tally(content, [Measure("m", "acc", "max")]).measured == {"m": 3}


def test_a_course_is_given_in_order():
    assert series(file(3, 1), "acc") == [(0, 3), (1, 1)]


names = st.sampled_from(["acc", "loss", "a,b", 'x"y', "val"])
values = st.integers() | st.floats() | st.sampled_from(["acc", "loss", "", "z"])
entries = st.tuples(
    st.sampled_from(["val", "val", "val", "train", "start"]),
    st.dictionaries(names, values, min_size=1, max_size=4),
    st.none() | st.integers(0, 4),
    st.none() | st.floats(0, 100),
)
wanted = [
    Measure(f"{metric}-{at}", metric, at)
    for metric in ("acc", "loss")
    for at in ("last", "min", "max", "2")
]


@given(st.lists(entries, max_size=8))
def test_unparsed_rows_give_what_parsed_ones_do(written):
    text = "".join(encode(*entry) for entry in written)
    assert len(list(rows(text))) == len(written)
    careful = tally_of(parse_rows(text, "val", None), wanted)
    try:
        quick = tally_of(split_rows(text, "val"), wanted)
    except ValueError:
        return
    assert repr(quick) == repr(careful)


@pytest.mark.parametrize("how", ["min", "max", "mean"])
def test_no_numbers_have_no_pool(how):
    assert pooled([], "acc", how) is None
    assert pooled(["loss,1", "loss,2"], "acc", how) is None
    assert pooled(["acc,n/a"], "acc", how) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["acc,9,loss,1", "acc,10,loss,2"], 10),
        (["loss,1,acc,9", "acc,10,loss,2"], 10),
        (["loss,1,acc,9", "loss,2"], 9),
        (["loss,1,acc,nan", "loss,2,acc,3"], 3),
        (["loss,1,acc,n/a", "loss,2,acc,3"], 3),
        (["loss,1,acc,tensor(0.5)", "loss,2,acc,0.25"], 0.5),
        (["loss,1,acc,1_000", "loss,2,acc,3"], 3),
        (["loss,1,acc,9007199254740993", "loss,2,acc,9007199254740992"], 9007199254740993),
        (["loss,1,acc,inf", "loss,2,acc,-inf"], float("inf")),
        (["note,acc,acc,3", "note,acc,acc,4"], 4),
        ([Record("val", {"acc": 2}), Record("val", {"loss": 9})], 2),
    ],
)
def test_the_largest_is_found_wherever_it_stands(rows, expected):
    assert pooled(rows, "acc", "max") == expected


def test_a_number_keeps_its_kind():
    assert repr(pooled(["acc,1", "acc,2"], "acc", "max")) == "2"
    assert repr(pooled(["acc,1.0", "acc,0.5"], "acc", "max")) == "1.0"
