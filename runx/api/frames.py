"""Data frames of runs, of pandas or polars: their headings, and columns of one type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runx.analysis.columns import Column
from runx.analysis.table import Table
from runx.errors import RunxError

_JSON_NAMES = {"run": "name", "dir": "logdir"}
"""What a run's JSON calls columns of tables; data frames have the same names."""


def with_states(summary: Table) -> Table:
    """Return a table whose last column is the states alone, without remarks for people."""
    places = [place for place, column in enumerate(summary.columns) if column.kind != "state"]
    columns = (*(summary.columns[place] for place in places), Column("state", "state"))
    rows = tuple(
        row._replace(
            cells=(
                *(row.cells[place] for place in places),
                row.record.state if row.record else None,
            )
        )
        for row in summary.rows
    )
    return summary._replace(columns=columns, rows=rows)


def headings(columns: Sequence[Column]) -> list[str]:
    """Return the headings of a data frame: where they are names of runs, those of their JSON."""
    own = {_JSON_NAMES[column.kind] for column in columns if column.kind in _JSON_NAMES}
    return [
        _JSON_NAMES.get(column.kind)
        or (f"hparams.{column.heading}" if column.heading in own else column.heading)
        for column in columns
    ]


def frame_of(headings: Sequence[str], rows: Sequence[Sequence[Any]], polars: bool) -> Any:
    """Return a data frame of pandas or polars.

    Raises:
        RunxError: The library is not installed.
    """
    name = "polars" if polars else "pandas"
    try:
        if polars:
            import polars as library

            columns = zip(*rows, strict=True) if rows else ((),) * len(headings)
            cells = map(_of_one_type, columns)
            return library.DataFrame(dict(zip(headings, cells, strict=True)))
        import pandas

        return pandas.DataFrame(rows, columns=list(headings))
    except ImportError as error:
        raise RunxError(f"a data frame needs {name}: pip install {name}") from error


def _of_one_type(cells: Sequence[Any]) -> list[Any]:
    """Return the cells of a column as one type, which polars demands: mixed ones as text.

    >>> _of_one_type((1, 0.5, None)), _of_one_type((1, "x", None)), _of_one_type(([1, 2],))
    ([1.0, 0.5, None], ['1', 'x', None], ['[1, 2]'])
    """
    types = {type(cell) for cell in cells if cell is not None}
    if len(types) <= 1 and types <= {bool, int, float, str}:
        return list(cells)
    from runx.analysis.cells import for_machines

    convert = float if types == {int, float} else for_machines
    return [None if cell is None else convert(cell) for cell in cells]
