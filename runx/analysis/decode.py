"""The rows of a metrics file by the execution that wrote them, parsed only where they count."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from runx.rundir.records import Damaged, Record, number, record, rows

Row: TypeAlias = "str | Record"
"""A row's text without its phase, or the record that it was parsed to."""


class Execution(NamedTuple):
    """The rows of one execution of the script: its start, and those of a phase."""

    start: Row | None
    rows: list[Row]


def split_rows(text: str, phase: str) -> list[Execution]:
    """Return the rows of a file that has neither quotes nor torn rows, unparsed.

    Raises:
        ValueError: It has some; ``parse_rows`` reads any file.

    >>> split_rows("start,start/step,0\\nval,acc,9\\ntest,acc,8\\n", "val")
    [Execution(start=None, rows=[]), Execution(start='start/step,0', rows=['acc,9'])]
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if '"' in text or ",\n" in text or text[-1:] not in ("", "\n"):
        raise ValueError("it has quotes or torn rows")
    # In few steps over all of the text, not in some for each line: most of a look is spent here.
    first, *lines = text[:-1].split(f"\n{phase},")
    if first.startswith("start,") and "\n" not in first and "\n" not in "".join(lines):
        return [Execution(None, []), Execution(first.partition(",")[2], [*lines])]
    before, *after = f"\n{text[:-1]}".split("\nstart,")
    executions = [_execution(part, phase) for part in after]
    return [_execution(before, phase)._replace(start=None), *executions]


def _execution(text: str, phase: str) -> Execution:
    start, *lines = (part.partition("\n")[0] for part in text.split(f"\n{phase},"))
    return Execution(start, [*lines])


def parse_rows(text: str, phase: str, damaged: Damaged | None) -> list[Execution]:
    """Return the rows of any file, parsed.

    ``damaged`` is called with line and reason of each row that is left out.
    """
    executions = [Execution(None, [])]
    for row in rows(text, damaged):
        if row.phase == phase:
            executions[-1].rows.append(row)
        elif row.phase == "start":
            executions.append(Execution(row, []))
    return executions


def parsed(row: Row) -> Record:
    """Return the record of a row.

    Raises:
        ValueError: It is damaged.

    >>> parsed("acc,9,epoch,1")
    Record('', {'acc': 9}, epoch=1, timestamp=None)
    """
    return row if isinstance(row, Record) else record(["", *row.split(",")])


def epoch_and_time(row: Row) -> tuple[float | None, float | None]:
    """Return the epoch and the timestamp of a row, parsing nothing else where that can be.

    >>> epoch_and_time("acc,9,epoch,1,timestamp,5")
    (1, 5)
    """
    if not isinstance(row, Record):
        ends = row.rsplit(",", 4)
        if len(ends) > 3 and ends[-4] == "epoch" and ends[-2] == "timestamp":
            epoch, time = number(ends[-3]), number(ends[-1])
            if not isinstance(epoch, str) and not isinstance(time, str):
                return epoch, time
        row = parsed(row)
    return row.epoch, row.timestamp
