"""Runs in their order: the best first where a metric decides. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runx.analysis.better import direction
from runx.analysis.columns import (
    Column,
    everything,
    fields,
    getter,
    names_of,
    resolve,
    varying,
    varying_resources,
)
from runx.analysis.question import Question
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.rundir.run import RunRecord


class Key(NamedTuple):
    """What an order goes by: a column, and whether what is less comes first."""

    column: Column
    lower: bool


def deciding(runs: Sequence[RunRecord], question: Question) -> list[Key]:
    """Find what decides the order: what is asked for, else a loss, else what can."""
    if question.sortwith:
        return [_key(name, runs, question) for name in question.sortwith] if runs else []
    every = names_of(run.metrics for run in runs)
    metrics = [name for name in every if name in question.columns] or every
    candidates = [
        *(name for name in metrics if "loss" in name.lower()),
        *(name for name in (*question.lower, *question.higher) if name in metrics),
        *(name for name in metrics if direction(name) is not None),
        *(metrics if len(metrics) == 1 else ()),
    ]
    names = candidates[:1]
    return [Key(Column(name, "metric", name), question.is_lower(name)) for name in names]


def _key(name: str, runs: Sequence[RunRecord], question: Question) -> Key:
    wanted = question.deciding(name)
    if any(wanted.name in run.measured for run in runs):
        return Key(Column(wanted.name, "measured", wanted.name), question.is_lower(wanted.metric))
    try:
        return Key(resolve(name, runs), name in question.lower or name not in question.higher)
    except RunxError:
        raise RunxError(_unknown_metric(name, names_of(run.metrics for run in runs))) from None


def _unknown_metric(name: str, metrics: Sequence[str]) -> str:
    if not metrics:
        return f"can't sort with {name}: no run has metrics yet"
    there = listed(nearest_first(name, metrics))
    return f"can't sort with {name}: no run has such a metric; there {there}"


def ranked(runs: Sequence[RunRecord], keys: Sequence[Key]) -> list[RunRecord]:
    """Order runs by several keys, the first the weightiest."""
    ordered = list(runs)
    for column, lower in reversed(keys):
        get = getter(column)
        found = {id(run): rank(get(run), lower) for run in ordered}
        ordered.sort(key=lambda run: found[id(run)])
    return ordered


def rank(found: Any, lower: bool) -> tuple[int, float, str]:
    """Give a value's place: numbers from the best on, then text, NaN, and what isn't there.

    >>> sorted([None, 9.5, 10, float("nan")], key=lambda found: rank(found, lower=False))
    [10, 9.5, nan, None]
    """
    if isinstance(found, (int, float)):
        if found != found:
            return (2, 0.0, "")
        return (0, float(found) if lower else -float(found), "")
    return (3, 0.0, "") if found is None else (1, 0.0, str(found))


SETTLED = frozenset({"done", "unknown"})
"""States that go without saying where all runs have them."""


class Row(NamedTuple):
    """A row of the table: its cells, and the run that it shows, if it is one."""

    cells: tuple[Any, ...]
    result: RunRecord | None = None


class Table(NamedTuple):
    """A table, ready to be written: columns, rows in their order, and what decided the order.

    ``notes`` are what people should know of it.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()


def summarize(results: Iterable[RunRecord], question: Question = Question()) -> Table:  # noqa: B008
    """Make a table of runs, the best first where a metric decides; else by name."""
    runs = chosen(results, question)
    keys = deciding(runs, question)
    shown = ranked(runs, keys)[: question.top]
    columns = asked_columns(runs, question) if question.columns else own_columns(runs, question)
    cells = zip(*(map(getter(column), shown) for column in columns), strict=True)
    rows = tuple(map(Row, cells, shown))
    return Table(columns, rows, tuple(keys))


def chosen(results: Iterable[RunRecord], question: Question) -> list[RunRecord]:
    """Keep the runs that a question is about, in the order of their names."""
    runs = sorted(results, key=lambda run: (run.experiment, run.name, os.fspath(run.dir)))
    if not question.where:
        return runs
    from runx.sweeps.expressions import parse

    text = re.sub(r"(?<=\w)@(?=\d)", ":", question.where)
    known = [*fields(runs), *(f"hparams.{name}" for name in names_of(run.hparams for run in runs))]
    expression = parse(text, [*known, *(wanted.name for wanted in question.measures)])
    return [run for run in runs if expression.holds(everything(run))]


def asked_columns(runs: Sequence[RunRecord], question: Question) -> tuple[Column, ...]:
    """Give the columns that are asked for, the runs' names before them."""
    measured = [wanted.name for wanted in question.measures]
    found = [resolve(name, runs, measured) for name in question.columns]
    first = [column for column in _names(runs) if column not in found]
    return (*first, *found)


def own_columns(runs: Sequence[RunRecord], question: Question) -> tuple[Column, ...]:
    """Choose the columns: what tells the runs apart, and what they have come to."""
    unsettled = any(run.state not in SETTLED or not run.metrics for run in runs)
    timed = any(run.epoch_time is not None for run in runs)
    rest = [
        *_metric_columns(runs, question),
        *([Column("epoch", "epoch")] if any(run.epoch is not None for run in runs) else []),
        *([Column("epoch_time", "epoch_time")] if timed else []),
        *([Column("state", "state")] if unsettled else []),
    ]
    taken = {"run", "experiment", *(column.heading for column in rest)}
    if question.all_hparams:
        names = [
            name for name in names_of(run.hparams for run in runs) if name not in question.ignore
        ]
    else:
        names = varying(runs, question.ignore)
    hparams = [
        Column(f"hparams.{name}" if name in taken else name, "hparam", name) for name in names
    ]
    return (*_names(runs), *hparams, *varying_resources(runs), *rest)


def _names(runs: Sequence[RunRecord]) -> list[Column]:
    several = len({run.experiment for run in runs}) > 1
    return [*([Column("experiment", "experiment")] if several else []), Column("run", "run")]


def _metric_columns(runs: Sequence[RunRecord], question: Question) -> list[Column]:
    """Give the metrics in the order in which scripts write them, a best one after its last."""
    names = names_of(run.metrics for run in runs)
    found = [Column(name, "metric", name) for name in names]
    for key in question.sortwith:
        wanted = question.deciding(key)
        if any(wanted.name in run.measured for run in runs):
            heads = [column.heading for column in found]
            at = heads.index(wanted.metric) + 1 if wanted.metric in heads else len(heads)
            found.insert(at, Column(wanted.name, "measured", wanted.name))
    return found
