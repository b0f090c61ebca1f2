"""Runs grouped by their hyperparameters: one row for all the seeds of a setting. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runx.errors import RunxError
from runx.language.nearest import remedy
from runx.tables.columns import Column, getter, identity, resolve, value, varying
from runx.tables.question import Question
from runx.tables.ranking import Key, deciding, rank
from runx.tables.spread import AGGREGATES, Spread
from runx.tables.summary import Row, Summary, chosen, own_columns
from runx.types import RunRecord

_MEASURED = ("metric", "measured")


class Grouping(NamedTuple):
    """How runs are grouped: over what, or by what, and what is made of their numbers.

    Without ``agg`` a group's numbers stay together, as one Spread.
    """

    over: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    agg: tuple[str, ...] = ()


def grouped(results: Iterable[RunRecord], question: Question, grouping: Grouping) -> Summary:
    """Make a table with a row for each group, ranked by the groups' means."""
    runs = chosen(results, question)
    for name in grouping.agg:
        if name not in AGGREGATES:
            raise RunxError(f"--agg {name}: there is no such thing; {remedy(name, AGGREGATES)}")
    by = _by(runs, question, grouping)
    members = groups(runs, by)
    shown = _measured_columns(runs, question)
    expected = _expected(runs, grouping, members)
    keys = deciding(runs, question)
    ordered = sorted(members, key=lambda group: _place(group, keys, by))[: question.top]
    rows = [_row(group, by, shown, expected, grouping.agg) for group in ordered]
    heads = [head for column in shown for head in _headings(column, grouping.agg)]
    count = [Column("n", "count")] if not shown else []
    return Summary((*by, *heads, *count), tuple(rows), tuple(keys), _notes(ordered, by, expected))


def _by(runs: Sequence[RunRecord], question: Question, grouping: Grouping) -> list[Column]:
    """Give the columns that tell groups apart: those named, else all that varies but ``over``."""
    for name in (*grouping.over, *grouping.by):
        resolve(name, runs)
    if grouping.by:
        return [resolve(name, runs) for name in grouping.by]
    names = varying(runs, (*question.ignore, *grouping.over))
    several = len({run.experiment for run in runs}) > 1
    first = [Column("experiment", "experiment")] if several else []
    return [*first, *(Column(name, "hparam", name) for name in names)]


def groups(runs: Iterable[RunRecord], by: Sequence[Column]) -> list[list[RunRecord]]:
    """Put runs together that are the same in some columns, in the order of their appearance."""
    found: dict[Any, list[RunRecord]] = {}
    getters = [getter(column) for column in by]
    for run in runs:
        found.setdefault(tuple(identity(get(run)) for get in getters), []).append(run)
    return list(found.values())


def _measured_columns(runs: Sequence[RunRecord], question: Question) -> list[Column]:
    if not question.columns:
        return [column for column in own_columns(runs, question) if column.kind in _MEASURED]
    names = [wanted.name for wanted in question.measures]
    found = [resolve(name, runs, names) for name in question.columns]
    return [column for column in found if column.kind in (*_MEASURED, "epoch", "epoch_time")]


def _expected(
    runs: Sequence[RunRecord], grouping: Grouping, members: Sequence[list[RunRecord]]
) -> int:
    """Say how many runs a whole group has: all the seeds that there are, else as the largest."""
    if grouping.over and not grouping.by:
        columns = [resolve(name, runs) for name in grouping.over]
        return len(groups(runs, columns))
    return max(map(len, members), default=0)


def spread(group: Iterable[RunRecord], column: Column, expected: int) -> Spread | None:
    """Gather the numbers that a group has for a column; None where there is none."""
    found = [value(run, column) for run in group]
    numbers = [float(one) for one in found if isinstance(one, (int, float))]
    return Spread(tuple(numbers), expected) if numbers else None


def _place(
    group: Sequence[RunRecord], keys: Sequence[Key], by: Sequence[Column]
) -> tuple[tuple[int, float, str], ...]:
    """Give a group's place: by its means, and where these are alike by its values."""
    means = (rank(_middle(group, key.column), key.lower) for key in keys)
    return (*means, *(rank(value(group[0], column), lower=True) for column in by))


def _middle(group: Sequence[RunRecord], column: Column) -> Any:
    found = spread(group, column, 0)
    return found.mean if found else value(group[0], column)


def _row(
    group: Sequence[RunRecord],
    by: Sequence[Column],
    shown: Sequence[Column],
    expected: int,
    agg: Sequence[str],
) -> Row:
    cells: list[Any] = [value(group[0], column) for column in by]
    for column in shown:
        found = spread(group, column, expected)
        if not agg:
            cells.append(found)
        else:
            cells += [AGGREGATES[name](found) if found else None for name in agg]
    return Row((*cells, *([] if shown else [len(group)])))


def _headings(column: Column, agg: Sequence[str]) -> list[Column]:
    if not agg:
        return [column]
    return [Column(f"{column.heading}:{name}", "metric", column.name) for name in agg]


def _notes(
    ordered: Sequence[Sequence[RunRecord]], by: Sequence[Column], expected: int
) -> tuple[str, ...]:
    """Tell which groups lack runs, or results: their means can't be compared with the others'."""
    short = []
    for group in ordered:
        there = sum(1 for run in group if run.metrics)
        if there < expected:
            name = ", ".join(f"{column.heading}={value(group[0], column)}" for column in by)
            short.append(f"{name or 'all'} (n={there}/{expected})")
    if not short:
        return ()
    more = f" and {len(short) - 3} more" if len(short) > 3 else ""
    return (f"incomplete: {'; '.join(short[:3])}{more}",)


def best_per(summary: Summary, name: str) -> Summary:
    """Keep the first row for each value of a column: of a ranked table, the best."""
    runs = [row.result for row in summary.rows if row.result]
    column = resolve(name, runs)
    if not summary.sorted_by:
        raise RunxError(f"--best-per {name}: nothing says what is best; add --sortwith METRIC")
    first = {id(group[0]) for group in groups(runs, [column])}
    return summary._replace(rows=tuple(row for row in summary.rows if id(row.result) in first))
