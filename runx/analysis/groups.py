"""Runs grouped over seeds: the mean and the spread of their numbers. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.analysis.codes import mixed, short_codes
from runx.analysis.columns import (
    Column,
    as_number,
    code_columns,
    getter,
    identity,
    resolve,
    value,
    varying,
)
from runx.analysis.question import Question
from runx.analysis.table import Key, Row, Table, chosen, own_columns, rank, sort_keys
from runx.errors import RunxError
from runx.nearest import first_of, suggestion
from runx.printable import one_line
from runx.rundir.run import RunRecord

# Quantiles of Student's t for 95%, two-sided, by degrees of freedom from 1 on.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


class Spread(NamedTuple):
    """The values of one group of runs, and how many there would be if none were missing.

    >>> Spread((90.0, 92.0), 2).mean
    91.0
    """

    values: tuple[float, ...]
    expected: int

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return math.fsum(self.values) / self.n if self._finite else sum(self.values) / self.n

    @property
    def std(self) -> float:
        """The sample standard deviation (n - 1); NaN for one value."""
        if self.n < 2:
            return math.nan
        mean = self.mean
        # The differences are what is squared, since the square of a sum loses their digits.
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / (self.n - 1))

    @property
    def sem(self) -> float:
        """The standard error of the mean."""
        return self.std / math.sqrt(self.n)

    @property
    def median(self) -> float:
        """The median."""
        ordered, half = sorted(self.values), self.n // 2
        return ordered[half] if self.n % 2 else (ordered[half - 1] + ordered[half]) / 2

    @property
    def ci95(self) -> float:
        """Half of the 95% confidence interval of the mean, by Student's t."""
        freedom = self.n - 1
        if freedom < 1:
            return math.nan
        return self.sem * (_T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.47 / freedom)

    @property
    def _finite(self) -> bool:
        return all(map(math.isfinite, self.values))


AGGREGATES: Mapping[str, Callable[[Spread], float]] = {
    "mean": lambda spread: spread.mean,
    "std": lambda spread: spread.std,
    "sem": lambda spread: spread.sem,
    "min": lambda spread: min(spread.values),
    "max": lambda spread: max(spread.values),
    "median": lambda spread: spread.median,
    "ci95": lambda spread: spread.ci95,
    "n": lambda spread: spread.n,
}
"""The statistics of ``--agg``."""


def rounded(spread: Spread) -> str:
    """Return a spread for people, with the digits that its deviation leaves significant.

    >>> rounded(Spread((91.0, 91.5, 91.2), 3))
    '91.23 ± 0.25 (n=3)'
    """
    mean, std = spread.mean, spread.std
    n = f"n={spread.n}" if spread.n == spread.expected else f"n={spread.n}/{spread.expected}"
    if spread.n < 2:
        return f"{mean:.5g} ({n})"
    places = max(1 - math.floor(math.log10(std)), 0) if math.isfinite(std) and std else None
    if places is None or places > 8 or abs(mean) >= 1e7:
        return f"{mean:.5g} ± {std:.2g} ({n})"
    # Not -0 of what is rounded to nothing.
    return f"{round(mean, places) + 0.0:.{places}f} ± {std:.{places}f} ({n})"


_MEASURED = ("metric", "measured")


class Grouping(NamedTuple):
    """How runs are grouped: over or by which columns, and the statistics to show of their numbers.

    Without ``agg`` a cell is a Spread.
    """

    over: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    agg: tuple[str, ...] = ()


def grouped(results: Iterable[RunRecord], question: Question, grouping: Grouping) -> Table:
    """Return a table with a row for each group, ranked by the groups' means."""
    runs = chosen(results, question)
    for name in grouping.agg:
        if name not in AGGREGATES:
            raise RunxError(f"--agg {name}: there is no such thing; {suggestion(name, AGGREGATES)}")
    by = grouping_columns(runs, question, grouping)
    members = groups(runs, by)
    shown = _measured_columns(runs, question)
    expected = _expected(runs, question, grouping, members)
    keys = sort_keys(runs, question)
    ordered = sorted(members, key=lambda group: _sort_key(group, keys, by))[: question.top]
    rows = [_row(group, by, shown, expected, grouping.agg) for group in ordered]
    heads = [head for column in shown for head in _headings(column, grouping.agg)]
    count = [Column("n", "count")] if not shown else []
    code = code_columns(runs)
    if code:
        rows = [
            Row((*row.cells, short_codes(group))) for row, group in zip(rows, ordered, strict=True)
        ]
    notes = (*_notes(ordered, by, expected), *_mixed(ordered, by))
    return Table((*by, *heads, *count, *code), tuple(rows), tuple(keys), notes)


def grouping_columns(
    runs: Sequence[RunRecord], question: Question, grouping: Grouping
) -> list[Column]:
    """Return the columns that define groups: those named, else all that vary but ``over``."""
    named = [*runs, *question.others]
    for name in (*grouping.over, *grouping.by):
        resolve(name, named)
    if grouping.by:
        return [resolve(name, named) for name in grouping.by]
    names = varying(runs, (*question.ignore, *grouping.over))
    several = len({run.experiment for run in runs}) > 1
    first = [Column("experiment", "experiment")] if several else []
    return [*first, *(Column(name, "hparam", name) for name in names)]


def groups(runs: Iterable[RunRecord], by: Sequence[Column]) -> list[list[RunRecord]]:
    """Return runs grouped by their values in some columns, in the order of their appearance."""
    members: dict[Any, list[RunRecord]] = {}
    getters = [getter(column) for column in by]
    for run in runs:
        members.setdefault(tuple(identity(get(run)) for get in getters), []).append(run)
    return list(members.values())


def _measured_columns(runs: Sequence[RunRecord], question: Question) -> list[Column]:
    if not question.columns:
        return [column for column in own_columns(runs, question) if column.kind in _MEASURED]
    names = [measure.name for measure in question.measures]
    named = [*runs, *question.others]
    columns = [resolve(name, named, names) for name in question.columns]
    return [column for column in columns if column.kind in (*_MEASURED, "epoch", "epoch_time")]


def _expected(
    runs: Sequence[RunRecord],
    question: Question,
    grouping: Grouping,
    members: Sequence[list[RunRecord]],
) -> int:
    """Return the number of runs in a complete group: that of all seeds, else of the largest."""
    if grouping.over and not grouping.by:
        named = [*runs, *question.others]
        columns = [resolve(name, named) for name in grouping.over]
        return len(groups(runs, columns))
    return max(map(len, members), default=0)


def spread(group: Iterable[RunRecord], column: Column, expected: int) -> Spread | None:
    """Return the numbers that a group has for a column, None where it has none."""
    cells = (as_number(value(run, column)) for run in group)
    numbers = [cell for cell in cells if cell is not None]
    return Spread(tuple(numbers), expected) if numbers else None


def _sort_key(
    group: Sequence[RunRecord], keys: Sequence[Key], by: Sequence[Column]
) -> tuple[tuple[int, float, str], ...]:
    """Return a group's sort key: its means, then its values in the columns that define it."""
    means = (rank(_mean(group, key.column), key.lower) for key in keys)
    return (*means, *(rank(value(group[0], column), lower=True) for column in by))


def _mean(group: Sequence[RunRecord], column: Column) -> Any:
    numbers = spread(group, column, 0)
    return numbers.mean if numbers else value(group[0], column)


def _row(
    group: Sequence[RunRecord],
    by: Sequence[Column],
    shown: Sequence[Column],
    expected: int,
    agg: Sequence[str],
) -> Row:
    cells: list[Any] = [value(group[0], column) for column in by]
    for column in shown:
        numbers = spread(group, column, expected)
        if not agg:
            cells.append(numbers)
        else:
            cells += [AGGREGATES[name](numbers) if numbers else None for name in agg]
    return Row((*cells, *([] if shown else [len(group)])))


def _headings(column: Column, agg: Sequence[str]) -> list[Column]:
    if not agg:
        return [column]
    return [Column(f"{column.heading}:{name}", "metric", column.name) for name in agg]


def _notes(
    ordered: Sequence[Sequence[RunRecord]], by: Sequence[Column], expected: int
) -> tuple[str, ...]:
    """Return a note of groups that lack runs or results: their means aren't comparable."""
    short = []
    for group in ordered:
        measured = sum(1 for run in group if run.metrics)
        if measured < expected:
            short.append(f"{_name(group, by)} (n={measured}/{expected})")
    return (f"incomplete: {first_of(short, 3, '; ')}",) if short else ()


def _mixed(ordered: Sequence[Sequence[RunRecord]], by: Sequence[Column]) -> tuple[str, ...]:
    """Return a note of groups whose runs had different code: their means mix it."""
    names = [_name(group, by) for group in ordered if mixed(group)]
    return (f"mixed code: {first_of(names, 3, '; ')}",) if names else ()


def _name(group: Sequence[RunRecord], by: Sequence[Column]) -> str:
    cells = ((column.heading, value(group[0], column)) for column in by)
    return ", ".join(f"{heading}={one_line(str(cell))}" for heading, cell in cells) or "all"


def best_per(table: Table, name: str) -> Table:
    """Return a ranked table with the best row alone for each value of a column.

    Raises:
        RunxError: Nothing decides which row is best.
    """
    runs = [row.record for row in table.rows if row.record]
    column = resolve(name, runs)
    if not table.sorted_by:
        raise RunxError(f"--best-per {name}: nothing says what is best; add --sortwith METRIC")
    first = {id(group[0]) for group in groups(runs, [column])}
    return table._replace(rows=tuple(row for row in table.rows if id(row.record) in first))
