"""The rows of metrics.csv, which logx writes and sumx reads: one record a row.

A row is a phase and then names and values in turn, ended by the epoch and the time:

    start,start/step,0,timestamp,1731.0
    val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TypeAlias

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    Number: TypeAlias = "bool | int | float"
    Metric: TypeAlias = "bool | int | float | str"


TORN = b",\n"
"""Ends a torn row of an earlier writer: an empty last field marks the row as incomplete."""


_MOST_DIGITS = 300
"""More of them are beyond any float, and slow to read."""


class Record:
    """One row: a phase, its metrics, the epoch, and the time in seconds since 1970.

    >>> Record("val", {"acc": 91.2}, epoch=3)
    Record('val', {'acc': 91.2}, epoch=3, timestamp=None)
    """

    __slots__ = ("epoch", "metrics", "phase", "timestamp")

    def __init__(
        self,
        phase: str,
        metrics: dict[str, Metric],
        epoch: int | float | None = None,
        timestamp: float | None = None,
    ) -> None:
        self.phase = phase
        self.metrics = metrics
        self.epoch = epoch
        self.timestamp = timestamp

    def __repr__(self) -> str:
        return (
            f"Record({self.phase!r}, {self.metrics!r}, "
            f"epoch={self.epoch!r}, timestamp={self.timestamp!r})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def encode(
    phase: str,
    metrics: Mapping[str, Metric],
    epoch: int | float | None = None,
    timestamp: float | None = None,
) -> str:
    r"""Return one row, with its newline.

    >>> encode("val", {"acc": 91.2, "loss": 0.3}, 3, 1731.2)
    'val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2\n'
    """
    fields = [phase]
    for name, value in metrics.items():
        fields += (name, str(value))
    if epoch is not None:
        fields += ("epoch", str(epoch))
    if timestamp is not None:
        fields += ("timestamp", str(timestamp))
    row = ",".join(fields)
    # Checking the joined row is much faster than checking every field.
    if row.count(",") >= len(fields) or not _plain(row) or row[-1:] in ("", ","):
        row = ",".join(map(quoted, fields))
    return row + "\n"


def quoted(field: str) -> str:
    """Return a field, quoted if CSV needs that; NULs are removed, since csv.reader refuses them.

    >>> quoted('top "5", %')
    '"top ""5"", %"'
    """
    field = field.replace("\0", "")
    if field and "," not in field and _plain(field):
        return field
    return '"' + field.replace('"', '""') + '"'


def _plain(text: str) -> bool:
    """Return whether a row needs no quotes but for commas in its fields."""
    return not ('"' in text or "\n" in text or "\r" in text or "\0" in text)


Damaged: TypeAlias = Callable[[int, str], None]
"""Called for each damaged row, with its line number and the reason."""


def rows(content: str | bytes, damaged: Damaged | None = None) -> Iterator[Record]:
    r"""Yield the records in the content of a metrics file; call ``damaged`` for each bad row.

    >>> [record.metrics for record in rows("val,acc,91.2,epoch,3\nval,ac")]
    [{'acc': 91.2}]
    """
    lines = text_of(content).split("\n")
    rest, index = lines.pop(), 0
    while index < len(lines):
        first, line = index, lines[index]
        index += 1
        if not line.rstrip("\r"):
            continue
        try:
            if '"' in line:
                fields, index = _quoted_fields(lines, first)
                yield record(fields)
            else:
                yield parse(line)
        except ValueError as error:
            index = first + 1
            if damaged:
                damaged(first + 1, str(error))
    if rest and damaged:
        damaged(len(lines) + 1, "torn: it ends without a newline")


def read(path: PathLike[str] | str, damaged: Damaged | None = None) -> Iterator[Record]:
    """Yield the records of a metrics file."""
    return rows(Path(path).read_bytes(), damaged)


def text_of(content: str | bytes) -> str:
    """Return a file's content as text, without the NULs that a crash of a machine leaves."""
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    return text.replace("\0", "") if "\0" in text else text


def parse(line: str) -> Record:
    """Return the record in a row without quotes; raises ValueError where it is torn.

    >>> parse("val,acc,91.2,epoch,3")
    Record('val', {'acc': 91.2}, epoch=3, timestamp=None)
    """
    fields = line.rstrip("\r\n").split(",")
    if len(fields) > 1 and not fields[-1]:
        raise ValueError("torn: its last field is empty")
    return record(fields)


def record(fields: list[str]) -> Record:
    """Return the record in a row's fields; raises ValueError where a name has no value."""
    if not len(fields) % 2:
        raise ValueError("torn: a name without its value")
    names, values = fields[1::2], [number(field) for field in fields[2::2]]
    timestamp = epoch = None
    # From the end: a metric may be called epoch, too.
    if names and names[-1] == "timestamp":
        timestamp = _numeric(names.pop(), values.pop())
    if names and names[-1] == "epoch":
        epoch = _numeric(names.pop(), values.pop())
    return Record(fields[0], dict(zip(names, values, strict=True)), epoch, timestamp)


def number(text: str) -> Metric:
    """Return the number or bool that a field has, else the text.

    NVIDIA's runx wrote torch's scalars as ``tensor(0.91)``: those are numbers, too.

    >>> [number(text) for text in ("3", "0.5", "nan", "True", "tensor(0.91)", "n/a")]
    [3, 0.5, nan, True, 0.91, 'n/a']
    """
    if "_" in text:
        return text
    try:
        return float(text) if "." in text or len(text) > _MOST_DIGITS else int(text)
    except ValueError:
        pass
    if text in ("True", "False"):
        return text == "True"
    inner = text[7:-1].split(",")[0] if text.startswith("tensor(") else text
    try:
        return float(inner)
    except ValueError:
        return text


def _numeric(name: str, value: Metric) -> int | float:
    if isinstance(value, str):
        raise ValueError(f"{name} is no number: {value!r}")  # noqa: TRY004
    return value


def _quoted_fields(lines: list[str], first: int) -> tuple[list[str], int]:
    """Return the fields of a row with quotes, which may span lines, and the index of the next."""
    end, quotes = first + 1, lines[first].count('"')
    if quotes % 2 == 0 and lines[first].rstrip("\r").endswith(","):
        raise ValueError("torn: its last field is empty")
    while quotes % 2 and end < len(lines):
        quotes += lines[end].count('"')
        end += 1
    text = "\n".join(lines[first:end])
    try:
        return next(csv.reader([text.removesuffix("\r")], strict=True)), end
    except csv.Error as error:
        raise ValueError(f"torn: {error}") from None
