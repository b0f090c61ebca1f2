"""A metrics file taken apart into the executions that wrote it, each row unread until it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from runx.rundir.records import Record, number, record, rows

Damaged: TypeAlias = Callable[[int, str], None]


Row: TypeAlias = "str | Record"
"""A row as it stands in the file, without its phase; or read already."""


class Execution(NamedTuple):
    """The rows that one execution of the script has written: its start, and those of a phase."""

    start: Row | None
    rows: list[Row]


def usual(text: str, phase: str) -> list[Execution]:
    """Sort the rows of a usual file, unread; ValueError where it isn't usual.

    >>> usual("start,start/step,0\\nval,acc,9\\ntest,acc,8\\n", "val")
    [Execution(start=None, rows=[]), Execution(start='start/step,0', rows=['acc,9'])]
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if '"' in text or text[-1:] not in ("", "\n"):
        raise ValueError("not a usual file")
    # In few steps over all of the text, not in some for each line: most of a look is spent here.
    first, *lines = text[:-1].split(f"\n{phase},")
    if first.startswith("start,") and "\n" not in first and "\n" not in "".join(lines):
        return [Execution(None, []), Execution(first.partition(",")[2], _whole(lines))]
    before, *after = f"\n{text[:-1]}".split("\nstart,")
    executions = [_execution(one, phase) for one in after]
    return [_execution(before, phase)._replace(start=None), *executions]


def _execution(text: str, phase: str) -> Execution:
    start, *lines = (part.partition("\n")[0] for part in text.split(f"\n{phase},"))
    return Execution(start, _whole(lines))


def _whole(lines: list[str]) -> list[Row]:
    ends = "".join([line[-1:] for line in lines])
    if "," in ends or len(ends) < len(lines):
        raise ValueError("torn: its last field is empty")
    return list(lines)


def unusual(text: str, phase: str, damaged: Damaged | None) -> list[Execution]:
    """Read and sort the rows of any file; tell what of it is damaged."""
    executions = [Execution(None, [])]
    for row in rows(text, damaged):
        if row.phase == phase:
            executions[-1].rows.append(row)
        elif row.phase == "start":
            executions.append(Execution(row, []))
    return executions


def read(row: Row) -> Record:
    """Read a row in full; ValueError where it is damaged.

    >>> read("acc,9,epoch,1")
    Record('', {'acc': 9}, epoch=1, timestamp=None)
    """
    return row if isinstance(row, Record) else record(["", *row.split(",")])


def when(row: Row) -> tuple[float | None, float | None]:
    """Give the epoch and the time of a row, without a look at the rest where that can be.

    >>> when("acc,9,epoch,1,timestamp,5")
    (1, 5)
    """
    if not isinstance(row, Record):
        ends = row.rsplit(",", 4)
        if len(ends) > 3 and ends[-4] == "epoch" and ends[-2] == "timestamp":
            epoch, time = number(ends[-3]), number(ends[-1])
            if not isinstance(epoch, str) and not isinstance(time, str):
                return epoch, time
        row = read(row)
    return row.epoch, row.timestamp
