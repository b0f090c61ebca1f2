"""Tables as data for spreadsheets and programs: CSV, TSV, JSON, JSON lines and Parquet.

Times are in seconds, and numbers have all their digits: ``digits`` is for people's formats.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from runx.analysis.cells import for_machines
from runx.analysis.runjson import json_safe, run_as_json
from runx.analysis.table import Row, Table
from runx.errors import RunxError
from runx.rundir.files import encodable
from runx.rundir.records import quoted

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|nan)")


def csv_text(table: Table, digits: int = 0) -> str:
    """Return a table as comma-separated values under a line of headings."""
    return "\n".join(",".join(quoted(cell) if cell else "" for cell in row) for row in _rows(table))


def csv_safe_text(table: Table, digits: int = 0) -> str:
    """Return a table as csv_text does, with a ' before text that a spreadsheet would compute."""
    rows = ([_guarded(cell) for cell in row] for row in _rows(table))
    return "\n".join(",".join(quoted(cell) if cell else "" for cell in row) for row in rows)


def _guarded(cell: str) -> str:
    r"""Return a cell that a spreadsheet shows as it is (OWASP, CSV injection); numbers stay.

    >>> [_guarded(cell) for cell in ("=1+1", "-0.5", "-x", "\tx", "lr")]
    ["'=1+1", '-0.5', "'-x", "'\tx", 'lr']
    """
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")):
        return cell
    return cell if _NUMBER.fullmatch(cell) else f"'{cell}"


def tsv_text(table: Table, digits: int = 0) -> str:
    r"""Return a table as tab-separated values; in a cell a tab is \t and the end of a line \n."""
    return "\n".join("\t".join(map(_escaped, row)) for row in _rows(table))


def _rows(table: Table) -> Iterator[list[str]]:
    yield [column.heading for column in table.columns]
    for row in table.rows:
        yield [for_machines(cell) for cell in row.cells]


def _escaped(cell: str) -> str:
    for letter, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        cell = cell.replace(letter, escape)
    return cell


def json_text(table: Table, digits: int = 0) -> str:
    """Return a JSON list of objects: all of each run's record, or the cells of each group."""
    now = time.time()
    objects = [_object(table, row, now) for row in table.rows]
    return encodable(json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False))


def json_lines(table: Table, digits: int = 0) -> str:
    """Return the objects of json_text, each on a line of its own."""
    now = time.time()
    objects = (_object(table, row, now) for row in table.rows)
    return "\n".join(
        encodable(json.dumps(row, ensure_ascii=False, allow_nan=False)) for row in objects
    )


def _object(table: Table, row: Row, now: float) -> dict[str, Any]:
    if row.record:
        return run_as_json(row.record, now)
    headings = [column.heading for column in table.columns]
    return {heading: json_safe(cell) for heading, cell in zip(headings, row.cells, strict=True)}


def parquet_bytes(table: Table, digits: int = 0) -> bytes:
    """Return the content of a Parquet file; a column holds numbers, booleans, or else text.

    Raises: RunxError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise RunxError("--format parquet needs pyarrow: pip install pyarrow") from error
    columns = {
        column.heading: _of_one_type([row.cells[at] for row in table.rows])
        for at, column in enumerate(table.columns)
    }
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _of_one_type(cells: list[Any]) -> list[Any]:
    """Return a column's cells converted to one type, as Parquet needs it; nulls stay."""
    values = [cell for cell in cells if cell is not None]
    if all(isinstance(value, bool) for value in values) or all(type(v) is int for v in values):
        return cells
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return [None if cell is None else float(cell) for cell in cells]
    return [None if cell is None else for_machines(cell) for cell in cells]
