"""The rows of a metrics file by the execution that wrote them, parsed only where they count.

Which rows count is decided here for everybody: of an epoch those of the last attempt, and of an
earlier attempt none that lie beyond the epoch with which a later one went on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
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


def phase_in(text: str, phase: str) -> str:
    """Return the phase whose rows stand for a phase: tests for validation where there is none.

    >>> phase_in("train,loss,1\\ntest,acc,8\\n", "val"), phase_in("val,acc,9\\n", "val")
    ('test', 'val')
    """
    if phase != "val" or _has(text, "val") or not _has(text, "test"):
        return phase
    return "test"


def _has(text: str, phase: str) -> bool:
    return f"\n{phase}," in text or text.startswith(f"{phase},")


def counted(executions: list[Execution]) -> list[Execution]:
    """Return executions without the rows that a later one has superseded.

    Superseded is a row where a later execution has one of its metrics at its epoch, or a later
    attempt, which has one of them, went on at an earlier epoch: the weights that the row is about
    are gone. Executions whose starts have the same number are of one attempt. Rows without an
    epoch stay.

    >>> one, two = ["acc,1,epoch,1", "acc,2,epoch,2"], ["acc,3,epoch,1"]
    >>> [each.rows for each in counted([Execution(None, one), Execution(None, two)])]
    [[], ['acc,3,epoch,1']]
    """
    if sum(1 for execution in executions if execution.rows) < 2:
        return executions
    kept: list[Execution] = []
    later = _Later()
    for execution in reversed(executions):
        later.enter(_attempt(execution.start))
        rows = [(row, _epoch(row), parsed(row).metrics) for row in execution.rows]
        stay = [row for row, epoch, metrics in rows if not later.supersedes(epoch, metrics)]
        kept.append(execution._replace(rows=stay))
        for _, epoch, metrics in rows:
            later.add(epoch, metrics)
    return kept[::-1]


class _Later:
    """What later executions have written: the metrics of each epoch, and where attempts began."""

    def __init__(self) -> None:
        self._written: set[tuple[float, str]] = set()
        self._begins: dict[str, float] = {}
        self._attempt: object = None
        self._first, self._names = math.inf, set[str]()

    def enter(self, attempt: object) -> None:
        """Go on to an execution before these, of an attempt with a number, or None."""
        if attempt is None or attempt != self._attempt:
            for name in self._names:
                self._begins[name] = min(self._begins.get(name, math.inf), self._first)
            self._attempt, self._first, self._names = attempt, math.inf, set()

    def add(self, epoch: float, metrics: Iterable[str]) -> None:
        """Add a row of the execution."""
        if epoch > -math.inf:
            self._first = min(self._first, epoch)
            self._names.update(metrics)
            self._written.update((epoch, name) for name in metrics)

    def supersedes(self, epoch: float, metrics: Iterable[str]) -> bool:
        """Return whether a row of the execution doesn't count any more."""
        return any(
            (epoch, name) in self._written or epoch > self._begins.get(name, math.inf)
            for name in metrics
        )


def _epoch(row: Row) -> float:
    """Return the epoch of a row; what has none comes before all others, and stays."""
    epoch = epoch_and_time(row)[0]
    return -math.inf if epoch is None or epoch != epoch else epoch


def _attempt(start: Row | None) -> object:
    return parsed(start).metrics.get("attempt") if start is not None else None


def starts_in(text: str) -> list[Record]:
    """Return the starts in metrics.csv: those of phases in files of their own, too."""
    if text.count("\nstart,") + text.startswith("start,") < 2:
        return []  # Most runs are executed once; nothing of them is superseded.
    return [row for row in rows(text) if row.phase == "start"]


def split_at(rows: Sequence[Row], starts: Sequence[Record]) -> list[Execution]:
    """Return the rows of a file without starts by executions that began elsewhere.

    The times of both tell; without them, an execution begins where the epoch goes back.
    """
    begins = [start.timestamp for start in starts]
    times = [epoch_and_time(row)[1] for row in rows]
    known = [time for time in begins if time is not None]
    if len(known) == len(begins) and None not in times:
        executions = [Execution(None, []), *(Execution(start, []) for start in starts)]
        for row, time in zip(rows, times, strict=True):
            executions[bisect_right(known, time or 0.0)].rows.append(row)
        return executions
    executions, before = [Execution(None, [])], -math.inf
    for row in rows:
        if (epoch := _epoch(row)) < before:
            executions.append(Execution(None, []))
        executions[-1].rows.append(row)
        before = epoch
    return executions


def counted_records(records: Iterable[Record]) -> list[Record]:
    """Return the records of all phases of a run that count, as ``counted`` does, without starts."""
    records = list(records)
    starts = [row for row in records if row.phase == "start"]
    others = [row for row in records if row.phase != "start"]
    if len(starts) < 2:
        return others
    phases: dict[str, list[Row]] = {}
    for row in others:
        phases.setdefault(row.phase, []).append(row)
    kept = {
        id(row)
        for of_phase in phases.values()
        for execution in counted(split_at(of_phase, starts))
        for row in execution.rows
    }
    return [row for row in others if id(row) in kept]
