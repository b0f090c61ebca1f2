import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.rundir.records import TORN, Record, encode, number, parse, rows

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
words = names.filter(lambda text: isinstance(number(text), str))
numbers = st.one_of(st.floats(), st.integers(), st.booleans())
epochs = st.integers() | st.floats(allow_nan=False)
records = st.builds(
    Record,
    names,
    st.dictionaries(names, numbers | words, max_size=6),
    epochs,
    st.none() | st.floats(),
)


def line(record):
    return encode(record.phase, record.metrics, record.epoch, record.timestamp)


def test_a_row_written_by_the_original_is_read():
    text = "start,start/step,0,timestamp,1.5\r\nval,a b,tensor(0.5),epoch,2,timestamp,2.5\r\n"
    assert list(rows(text)) == [
        Record("start", {"start/step": 0}, None, 1.5),
        Record("val", {"a b": 0.5}, 2, 2.5),
    ]


def test_a_scalar_that_the_original_wrote_with_its_device_is_a_number():
    [record] = rows("val,acc,\"tensor(0.9, device='cuda:0')\",epoch,1\r\n")
    assert record.metrics == {"acc": 0.9}


@settings(deadline=None)
@given(st.lists(records, max_size=5))
def test_reading_back_what_was_written_gives_the_same_records(written):
    complaints = []
    read = list(rows("".join(map(line, written)), lambda *told: complaints.append(told)))
    assert read == written
    assert not complaints


@settings(deadline=None)
@given(st.lists(records, max_size=3), st.lists(records, max_size=3))
def test_reading_bytes_is_reading_text(first, second):
    text = "".join(map(line, first + second))
    assert list(rows(text.encode())) == list(rows(text))


numeric = st.builds(Record, words, st.dictionaries(words, numbers, max_size=4), epochs)


@settings(deadline=None)
@given(numeric, st.data(), st.lists(numeric, max_size=3))
def test_a_torn_row_costs_only_itself(torn, data, after):
    whole = line(torn).encode()[:-1]
    kept = data.draw(st.integers(1, len(whole) - 1))
    bad = []
    content = whole[:kept] + TORN + "".join(map(line, after)).encode()
    read = list(rows(content, lambda at, why: bad.append(at)))
    if b'"' not in content:
        assert bad == [1]
        assert read == after


def test_a_row_torn_inside_quotes_costs_only_itself():
    after = [Record("val", {"a,b": 1}, 1), Record("val", {"two\nlines": 2}, 2)]
    bad = []
    text = 'val,"top,' + ",\n" + "".join(map(line, after))
    assert list(rows(text, lambda at, why: bad.append(at))) == after
    assert bad == [1]


def test_a_last_row_without_a_newline_is_damaged():
    bad = []
    text = "val,acc,1,epoch,1\nval,acc,9,epoch,1"
    assert len(list(rows(text, lambda at, why: bad.append((at, why))))) == 1
    assert bad == [(2, "torn: it ends without a newline")]


@pytest.mark.parametrize(
    "bad", ["val,acc", "val,acc,", "val,acc,1,epoch,x", "val,acc,1,epoch,1,timestamp,today"]
)
def test_a_damaged_row_is_told_once_and_the_others_are_read(bad):
    told = []
    text = f"val,acc,1,epoch,0\n{bad}\nval,acc,2,epoch,1\n"
    read = list(rows(text, lambda at, why: told.append(at)))
    assert [record.metrics["acc"] for record in read] == [1, 2]
    assert told == [2]


def test_nul_bytes_left_by_a_crash_are_no_part_of_a_row():
    assert list(rows(b"\0\0\0val,acc,1,epoch,0\n\0\0")) == [Record("val", {"acc": 1}, 0)]


def test_bytes_that_are_no_text_harm_only_their_row():
    read = list(rows(b"val,\xff,1,epoch,0\nval,acc,2,epoch,1\n"))
    assert read[-1] == Record("val", {"acc": 2}, 1)


def test_a_metric_may_be_called_epoch_or_timestamp():
    metrics = {"epoch": 7, "timestamp": 8}
    assert parse(encode("val", metrics, 3, 4.0)) == Record("val", metrics, 3, 4.0)
    assert parse(encode("val", metrics, 3)) == Record("val", metrics, 3)


def test_not_a_number_and_infinities_survive():
    read = parse(encode("val", {"a": math.nan, "b": -math.inf, "c": 10**40}, 0))
    assert math.isnan(read.metrics["a"])
    assert read.metrics["b"] == -math.inf
    assert read.metrics["c"] == 10**40


def test_blank_lines_are_nothing():
    assert list(rows("\n\r\n\n", lambda *told: pytest.fail(str(told)))) == []
