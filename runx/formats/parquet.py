"""Apache Parquet, by pyarrow, for data frames."""

from __future__ import annotations

from typing import Any

from runx.errors import RunxError
from runx.formats.cells import for_machines
from runx.tables.summary import Summary


def render(summary: Summary, digits: int = 0) -> bytes:
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
