"""Comma- or tab-separated values, complete, for spreadsheets and programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from runx.analysis.cells import content, for_machines, strict
from runx.analysis.table import Row, Table
from runx.errors import RunxError
from runx.rundir.records import quoted


def csv_text(summary: Table, digits: int = 0) -> str:
    """Write a summary with a line of headings; times are in seconds, every digit is there."""
    return "\n".join(
        ",".join(quoted(cell) if cell else "" for cell in row) for row in _rows(summary)
    )


def tsv_text(summary: Table, digits: int = 0) -> str:
    r"""Write the same with tabs; a tab or the end of a line in a cell is written \t or \n."""
    return "\n".join("\t".join(map(_one_word, row)) for row in _rows(summary))


def _rows(summary: Table) -> Iterable[list[str]]:
    yield [column.heading for column in summary.columns]
    for row in summary.rows:
        yield [for_machines(cell) for cell in row.cells]


def _one_word(cell: str) -> str:
    for letter, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        cell = cell.replace(letter, written)
    return cell


def json_text(summary: Table, digits: int = 0) -> str:
    """Write everything known of each run, or each group's cells, in their order."""
    objects = [_object(summary, row) for row in summary.rows]
    return json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False)


def json_lines(summary: Table, digits: int = 0) -> str:
    """Write the same as one line for each row."""
    objects = (_object(summary, row) for row in summary.rows)
    return "\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in objects)


def _object(summary: Table, row: Row) -> dict[str, Any]:
    if row.result:
        return content(row.result)
    heads = [column.heading for column in summary.columns]
    return {head: strict(cell) for head, cell in zip(heads, row.cells, strict=True)}


def parquet_bytes(summary: Table, digits: int = 0) -> bytes:
    """Write a file's bytes: a column is of numbers, of truths, or else of text."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise RunxError("--format parquet needs pyarrow: pip install pyarrow") from error
    columns = {
        column.heading: _column([row.cells[at] for row in summary.rows])
        for at, column in enumerate(summary.columns)
    }
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _column(cells: list[Any]) -> list[Any]:
    """Make one type of a column's cells: a file's columns have one, a table's need not."""
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, bool) for cell in there) or all(type(cell) is int for cell in there):
        return cells
    if all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in there):
        return [None if cell is None else float(cell) for cell in cells]
    return [None if cell is None else for_machines(cell) for cell in cells]
