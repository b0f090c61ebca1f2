"""CSV files with a column of epochs or steps: Lightning's, Keras' CSVLogger, a script's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import FileReader, Row, Warn
from runx.readers.shaping import Measurement, counter, measurement, rows_of
from runx.rundir.files import unblocked
from runx.rundir.records import number, text_of

SUFFIXES = (".csv", ".tsv", ".log")
_COLUMNS = 1_000
"""A file with more of them is a table of data."""
_RETURNS = 50
"""How often a run may begin anew: a file whose counter goes back more often is data."""
_HEAD = 1 << 16  # bytes


def recognise(path: str) -> bool:
    """Return whether a file is a CSV file whose first line names an epoch or a step."""
    if not path.lower().endswith(SUFFIXES):
        return False
    with open(path, "rb", opener=unblocked) as file:
        return is_wide(file.readline(_HEAD))


def is_wide(line: bytes) -> bool:
    """Return whether a line is the names of columns, and not a row of logx's metrics.csv.

    >>> is_wide(b"epoch,step,val_acc"), is_wide(b"val,acc,9,epoch,1"), is_wide(b"a,b")
    (True, False, False)
    """
    names = _cells(text_of(line))
    if not 1 < len(names) <= _COLUMNS or not {"epoch", "step"} & {*map(counter, names)}:
        return False
    return all(isinstance(number(name), str) for name in names)


def read(path: str, warn: Warn) -> list[Row]:
    """Return the rows of a CSV file; a row that is cut off has the cells that it has."""
    try:
        return rows_of(list(_measurements(path)))
    except csv.Error as error:
        warn(f"{path}: left out: {error}")
        return []


def cells_of(path: str) -> Iterator[dict[str, float | str]]:
    """Yield the rows of a CSV file as cells by the names of their columns, empty ones left out.

    Raises:
        csv.Error: It is no CSV file.
    """
    first, *lines = text_of(Path(path).read_bytes()).split("\n")
    names = [name.strip() for name in _cells(first)]
    for cells in csv.reader(lines, delimiter=_delimiter(first)):
        pairs = zip(names, cells, strict=False)
        yield {name: number(cell.strip()) for name, cell in pairs if name and cell.strip()}


def _measurements(path: str) -> Iterator[Measurement]:
    """Yield the measurements of a CSV file, none where it turns out to be data."""
    found, returns, before = [], 0, float("-inf")
    for cells in cells_of(path):
        each = measurement(cells)
        at = each.step if each.step is not None else each.epoch
        if each.values and at is not None:  # Not a header that a later attempt has written again.
            returns, before = returns + (at < before), at
            found.append(each)
    if returns <= _RETURNS:
        yield from found


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=_delimiter(line)), [])
    except csv.Error:
        return []


def _delimiter(line: str) -> str:
    return max(",\t;", key=line.count)


READER = FileReader("CSV", recognise, read)
