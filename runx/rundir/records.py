"""The rows of metrics.csv: what logx writes and sumx reads (see decoding), one record a row.

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


if TYPE_CHECKING:
    Number: TypeAlias = "bool | int | float"
    Metric: TypeAlias = "bool | int | float | str"


TORN = b",\n"
"""What a writer ends a torn row with: the empty last field says that the row is not whole."""


class Record:
    """One row: its phase, what was measured, at which epoch and when.

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
    r"""Write one row, newline included.

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
    # Looking at the finished row is much cheaper than looking at every field.
    if row.count(",") >= len(fields) or not _plain(row) or row[-1:] in ("", ","):
        row = ",".join(map(quoted, fields))
    return row + "\n"


def quoted(field: str) -> str:
    """Quote a field if CSV needs that; NUL, which no reader survives, is left out.

    >>> quoted('top "5", %')
    '"top ""5"", %"'
    """
    field = field.replace("\0", "")
    if field and "," not in field and _plain(field):
        return field
    return '"' + field.replace('"', '""') + '"'


def _plain(text: str) -> bool:
    return not ('"' in text or "\n" in text or "\r" in text or "\0" in text)


Damaged: TypeAlias = Callable[[int, str], None]


def rows(content: str | bytes, damaged: Damaged | None = None) -> Iterator[Record]:
    r"""Give the records of a metrics file; ``damaged`` is told line and reason of each bad row.

    >>> [record.metrics for record in rows("val,acc,91.2,epoch,3\nval,ac")]
    [{'acc': 91.2}]
    """
    lines = text_of(content).split("\n")
    rest, at = lines.pop(), 0
    while at < len(lines):
        first, line = at, lines[at]
        at += 1
        if not line.rstrip("\r"):
            continue
        try:
            if '"' in line:
                fields, at = _joined(lines, first)
                yield record(fields)
            else:
                yield parse(line)
        except ValueError as error:
            at = first + 1
            if damaged:
                damaged(first + 1, str(error))
    if rest and damaged:
        damaged(len(lines) + 1, "torn: it ends without a newline")


def read(path: PathLike[str] | str, damaged: Damaged | None = None) -> Iterator[Record]:
    """Give the records of the metrics file there."""
    return rows(Path(path).read_bytes(), damaged)


def text_of(content: str | bytes) -> str:
    """Make text of a file's bytes, without the NULs that a crash of a machine leaves behind."""
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    return text.replace("\0", "") if "\0" in text else text


def parse(line: str) -> Record:
    """Read one row that holds no quotes, with or without its line end.

    >>> parse("val,acc,91.2,epoch,3")
    Record('val', {'acc': 91.2}, epoch=3, timestamp=None)
    """
    fields = line.rstrip("\r\n").split(",")
    if len(fields) > 1 and not fields[-1]:
        raise ValueError("torn: its last field is empty")
    return record(fields)


def record(fields: list[str]) -> Record:
    """Make a record of a row's fields; ValueError where they aren't names and values in turn."""
    if not len(fields) % 2:
        raise ValueError("torn: a name without its value")
    names, values = fields[1::2], [number(field) for field in fields[2::2]]
    timestamp = epoch = None
    # Taken from the end: a metric may itself be called epoch.
    if names and names[-1] == "timestamp":
        timestamp = _numeric(names.pop(), values.pop())
    if names and names[-1] == "epoch":
        epoch = _numeric(names.pop(), values.pop())
    return Record(fields[0], dict(zip(names, values, strict=True)), epoch, timestamp)


def number(text: str) -> Metric:
    """Read a value: a number or truth where it is one, else the text itself.

    The original wrote torch's scalars as ``tensor(0.91)``; those are numbers too.

    >>> [number(text) for text in ("3", "0.5", "nan", "True", "tensor(0.91)", "n/a")]
    [3, 0.5, nan, True, 0.91, 'n/a']
    """
    if "_" in text:
        return text
    try:
        return float(text) if "." in text else int(text)
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


def _joined(lines: list[str], first: int) -> tuple[list[str], int]:
    """Split a row with quotes, which may go on over the lines that follow; also give its end."""
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
