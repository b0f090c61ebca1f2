import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.formats import FORMATS
from runx.rundir import RunDir
from runx.summary import Column, Row, Summary
from runx.types import Result


def summary(*cells, headings=("run", "acc")):
    kinds = ("run", "metric")
    columns = tuple(Column(*named) for named in zip(headings, kinds, headings, strict=True))
    rows = (
        Row(
            (name, value),
            Result(str(name), RunDir(Path("/x")), {"lr": 0.1}, "done", {"acc": value}),
        )
        for name, value in cells
    )
    return Summary(columns, tuple(rows))


@pytest.mark.parametrize("name", FORMATS)
def test_a_summary_without_rows_is_written(name):
    assert isinstance(FORMATS[name](summary()), str)


def test_numbers_stand_at_the_right_and_text_at_the_left():
    assert FORMATS["table"](summary(("owl", 9.5), ("rattlesnake", 10))) == (
        "run          acc\n-----------  ---\nowl          9.5\nrattlesnake   10"
    )


def test_a_cell_never_breaks_a_line_of_the_table():
    assert len(FORMATS["table"](summary(("a\nb\t\x1b[31m", 1))).split("\n")) == 3


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(words, st.floats() | words | st.none()), max_size=5))
def test_csv_read_back_has_the_same_cells(cells):
    text = FORMATS["csv"](summary(*cells))
    [head, *rows] = csv.reader(io.StringIO(text, newline=""))
    assert head == ["run", "acc"]
    assert len(rows) == len(cells)
    for row, (_, value) in zip(rows, cells, strict=True):
        assert row[1] == ("" if value is None else str(value))


@given(st.lists(st.floats() | st.integers() | st.booleans() | st.text(), max_size=5))
def test_json_read_back_has_the_same_values(values):
    text = FORMATS["json"](summary(*((str(at), value) for at, value in enumerate(values))))
    read = [found["metrics"]["acc"] for found in json.loads(text, parse_constant=pytest.fail)]
    assert [str(value) for value in read] == [str(value) for value in values]
