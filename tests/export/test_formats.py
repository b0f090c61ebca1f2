import csv
import io
import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tabulate
from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.columns import Column
from runx.analysis.groups import Spread
from runx.analysis.table import Row, Table
from runx.export.formats import FORMATS, TABULATE, format_table
from runx.export.table import fitted
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State


def table_of(*cells, headings=("run", "acc")):
    kinds = ("run", "metric")
    columns = tuple(Column(*named) for named in zip(headings, kinds, headings, strict=True))
    rows = (
        Row(
            (name, value),
            RunRecord(str(name), RunDir(Path("/x")), {"lr": 0.1}, State("done"), {"acc": value}),
        )
        for name, value in cells
    )
    return Table(columns, tuple(rows))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "parquet"])
def test_a_table_without_rows_is_written(name):
    assert FORMATS[name].render(table_of(), 5) is not None


def test_numbers_stand_at_the_right_and_text_at_the_left():
    assert format_table("table", table_of(("owl", 9.5), ("rattlesnake", 10))) == (
        "run          acc\n-----------  ---\nowl          9.5\nrattlesnake   10"
    )


def test_a_cell_never_breaks_a_line_of_the_table():
    assert len(format_table("table", table_of(("a\nb\t\x1b[31m", 1))).split("\n")) == 3


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(words, st.floats() | words | st.none()), max_size=5))
def test_csv_read_back_has_the_same_cells(cells):
    text = format_table("csv", table_of(*cells))
    [head, *rows] = csv.reader(io.StringIO(text, newline=""))
    assert head == ["run", "acc"]
    assert len(rows) == len(cells)
    for row, (_, value) in zip(rows, cells, strict=True):
        assert row[1] == ("" if value is None else str(value))


@given(st.lists(st.floats() | st.integers() | st.booleans() | st.text(), max_size=5))
def test_json_read_back_has_the_same_values(values):
    text = format_table("json", table_of(*((str(at), value) for at, value in enumerate(values))))
    read = [found["metrics"]["acc"] for found in json.loads(text, parse_constant=pytest.fail)]
    assert [str(value) for value in read] == [str(value) for value in values]


def test_every_format_of_the_tabulate_that_is_installed_is_offered():
    assert set(tabulate.tabulate_formats) <= set(FORMATS)
    assert set(TABULATE) <= set(tabulate.tabulate_formats)


@pytest.mark.parametrize("name", ["markdown", *TABULATE])
@pytest.mark.parametrize("text", ["1e3", "0x10", "1,000", "007", "true", "nan"])
def test_a_cell_is_written_as_the_text_that_it_is(name, text):
    written_text = format_table(name, table_of((text, 0.1), ("owl", 10)))
    assert text in written_text
    assert "0.1" in written_text and "0.10" not in written_text


def test_markdown_is_lined_up_and_escaped():
    assert format_table("markdown", table_of(("a|b_c\\d", 1.5), ("owl", 10))).splitlines() == [
        "| run        |   acc |",
        "|:-----------|------:|",
        "| a\\|b\\_c\\\\d |   1.5 |",
        "| owl        |    10 |",
    ]


@pytest.mark.parametrize("name", ["latex", "latex_booktabs", "latex_longtable"])
def test_latex_is_escaped(name):
    text = format_table(name, table_of(("50%_{x}~&#$\\<±|", 1)))
    cell = r"50\%\_\{x\}\textasciitilde{}\&\#\$\textbackslash{}"
    assert cell + r"\ensuremath{<}\ensuremath{\pm}\textbar{} &" in text


@pytest.mark.parametrize("start", ["[1, 2]", "*"])
def test_no_row_of_latex_begins_as_an_argument_of_the_one_before(start):
    rows = format_table("latex_booktabs", table_of((start, 1), ("owl", 2), (start, 3))).splitlines()
    assert [rows[at].strip()[:3] for at in (4, 6)] == [f"{{{start[0]}}}"] * 2


def test_raw_latex_is_left_as_it_is():
    assert "$x_1$ &" in format_table("latex_raw", table_of(("$x_1$", 1)))


@pytest.mark.parametrize("text", ["<b>", "a & b", "&amp;", "<script>alert(1)</script>", '"'])
def test_html_is_rendered_as_the_text_that_it_was(text):
    html = format_table("html", table_of((text, 1.5), ("owl", 2), headings=(text, "acc")))
    assert cells_of(html) == [[text, "acc"], [text, "1.5"], ["owl", "2"]]


def test_tabs_never_break_a_line_of_tsv():
    assert format_table("tsv", table_of(("a\tb\nc", 1))).splitlines()[1] == "a\\tb\\nc\t1"


@given(st.lists(st.floats() | st.integers(), max_size=5))
def test_each_line_of_jsonl_is_an_object(values):
    text = format_table("jsonl", table_of(*((str(at), value) for at, value in enumerate(values))))
    assert [json.loads(line)["name"] for line in text.splitlines()] == [
        str(at) for at in range(len(values))
    ]


def test_parquet_is_read_back_by_pyarrow():
    parquet = pytest.importorskip("pyarrow.parquet")
    content = FORMATS["parquet"].render(table_of(("a", 1.5), ("b", None), ("c", 2)), 5)
    table = parquet.read_table(io.BytesIO(content))
    assert table.to_pydict() == {"run": ["a", "b", "c"], "acc": [1.5, None, 2.0]}


def test_a_spread_is_rounded_for_people():
    text = format_table("table", table_of(("a", Spread((91.0, 91.5, 91.2), 3))))
    assert "91.23 ± 0.25 (n=3)" in text


def test_a_table_that_is_too_wide_keeps_its_names():
    wide = table_of(("a" * 30, 1.5))
    shorter, lost = fitted(wide, 10, 5)
    assert lost == ["acc"]
    assert [column.heading for column in shorter.columns] == ["run"]
    assert fitted(wide, 80, 5) == (wide, [])


def cells_of(html):
    """Return the texts of a rendered table, row by row."""

    class Cells(HTMLParser):
        def __init__(self):
            super().__init__()
            self.rows = []

        def handle_starttag(self, tag, attributes):
            if tag == "tr":
                self.rows.append([])
            elif tag in ("td", "th"):
                self.rows[-1].append("")
            else:
                assert tag in ("table", "thead", "tbody"), "a cell is text and nothing else"

        def handle_data(self, text):
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] += text

    parser = Cells()
    parser.feed(html)
    return [[cell.strip() for cell in row] for row in parser.rows]


AWKWARD = [
    "a|b",
    "a\\|b",
    "*a* _b_",
    "`a`|`b`",
    "[a](b)",
    "<b>",
    "&amp;",
    "~~a~~",
    "# a",
    "1. a",
    "!",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_markdown_is_rendered_as_the_text_that_it_was(text):
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    html = renderer.render(format_table("markdown", table_of((text, 1.5), ("owl", 2))))
    assert cells_of(html) == [["run", "acc"], [text, "1.5"], ["owl", "2"]]


@pytest.mark.latex
@pytest.mark.skipif(not (shutil.which("tectonic") or shutil.which("pdflatex")), reason="no LaTeX")
@pytest.mark.parametrize("form", ["latex", "latex_booktabs", "latex_longtable"])
def test_latex_compiles(form, tmp_path):
    rows = [(f"[{text}] 50%_{{x}}^~&#$\\ ± <>", 1) for text in AWKWARD]
    table = format_table(form, table_of(*rows, ("* a", 2), ("[", 3)))
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,longtable}"
        f"\\begin{{document}}\n{table}\n\\end{{document}}\n"
    )
    command = ["tectonic"] if shutil.which("tectonic") else ["pdflatex", "-halt-on-error"]
    done = subprocess.run([*command, "a.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@given(st.lists(st.tuples(words, st.floats() | words | st.none()), max_size=5))
def test_csv_for_spreadsheets_has_the_same_cells_behind_a_guard(cells):
    plain = csv.reader(io.StringIO(format_table("csv", table_of(*cells)), newline=""))
    safe = csv.reader(io.StringIO(format_table("csv-safe", table_of(*cells)), newline=""))
    for before, after in zip(plain, safe, strict=True):
        for cell, guarded in zip(before, after, strict=True):
            assert guarded in (cell, f"'{cell}")
            is_number = cell.lower() in ("-inf", "nan", "inf") or set(cell) <= set("0123456789.e+-")
            assert is_number or not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
