"""The table of runs: its rows, columns and order, the best first where a metric decides. Pure."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from runx.analysis.better import direction
from runx.analysis.columns import (
    HPARAMS,
    LABELS,
    METRICS,
    Column,
    as_number,
    code_columns,
    everything,
    fields,
    finite,
    getter,
    metric_column,
    names_of,
    resolve,
    value,
    varying,
    varying_resources,
)
from runx.analysis.question import Question
from runx.analysis.reduce import Measure
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.rundir.run import RunRecord

Item = TypeVar("Item")
RunsOf: TypeAlias = Callable[[Item], Sequence[RunRecord]]


PRUNED = "pruned"
"""The state of runs that were stopped early, which are never the best."""


class Key(NamedTuple):
    """A column to sort by, and whether less comes first."""

    column: Column
    lower: bool


def sort_keys(runs: Sequence[RunRecord], question: Question) -> list[Key]:
    """Return the keys to sort by: those asked for, else a loss, else another metric."""
    if question.sortwith:
        sorting = zip(question.sortwith, question.sort_measures, strict=True)
        named = [*runs, *question.others]
        return [_key(name, measure, named, question) for name, measure in sorting] if runs else []
    of_search = [
        Key(Column(each.name, "measured", each.name), question.is_lower(each.metric))
        for each in question.sort_measures
        if any(each.name in run.measured for run in runs)
    ]
    if of_search:
        return of_search
    every = names_of(run.metrics for run in runs)
    all_metrics = [name for name in every if name not in question.ignore]
    metrics = [name for name in all_metrics if name in question.columns] or all_metrics
    candidates = [
        *(name for name in metrics if "loss" in name.lower()),
        *(name for name in (*question.lower, *question.higher) if name in metrics),
        *(name for name in metrics if direction(name) is not None),
        *(metrics if len(metrics) == 1 else ()),
    ]
    first = candidates[:1]
    return [Key(Column(name, "metric", name), question.is_lower(name)) for name in first]


def _key(name: str, measure: Measure, runs: Sequence[RunRecord], question: Question) -> Key:
    if any(measure.name in run.measured for run in runs):
        column = Column(measure.name, "measured", measure.name)
        return Key(column, question.is_lower(measure.metric))
    try:
        column = resolve(name, runs)
    except RunxError:
        raise RunxError(_unknown_metric(name, names_of(run.metrics for run in runs))) from None
    if column.kind == "metric":  # one that scripts call acc:best
        return Key(column, question.is_lower(measure.metric))
    return Key(column, name in question.lower or name not in question.higher)


def _unknown_metric(name: str, metrics: Sequence[str]) -> str:
    if not metrics:
        return f"can't sort with {name}: no run has metrics yet; training's is train.{name}"
    names = listed(nearest_first(name, metrics))
    known = {metric.lower() for metric in metrics}
    is_known = direction(name) is not None and "." not in name and name.lower() not in known
    training = f"; training's is train.{name}" if is_known else ""
    return f"can't sort with {name}: no run has such a metric; there {names}{training}"


def ranked(runs: Sequence[RunRecord], keys: Sequence[Key]) -> list[RunRecord]:
    """Return runs sorted by several keys, the first of most weight; pruned ones come last."""
    ordered = list(runs)
    for column, lower in reversed(keys):
        get = getter(column)
        ranks = {id(run): rank(get(run), lower) for run in ordered}
        ordered.sort(key=lambda run: ranks[id(run)])
    return sorted(ordered, key=lambda run: run.state == PRUNED) if keys else ordered


def best_first(
    runs: Sequence[RunRecord], keys: Sequence[Key], question: Question
) -> list[RunRecord]:
    """Return the runs that a question shows, sorted by its keys."""
    shown = ranked(runs, keys)
    if question.pareto:
        shown = on_front(shown, keys, lambda run: [run])
    return shown[: question.top]


def on_front(items: Sequence[Item], keys: Sequence[Key], runs_of: RunsOf[Item]) -> list[Item]:
    """Return runs, or groups of them by their means, that no other is better than by all keys.

    Those that lack one of the numbers are left out, and so are runs that were stopped early.

    Raises:
        RunxError: There are fewer than two keys.
    """
    from runx.search.observations import front

    if len(keys) < 2:
        raise RunxError("--pareto needs two metrics or more; name them: -s loss,latency")
    measured, losses = list[Item](), list[list[float]]()
    for item in items:
        means = [_loss(runs_of(item), key) for key in keys]
        if None not in means:
            measured.append(item)
            losses.append([each for each in means if each is not None])
    return [measured[place] for place in front(losses)]


def _loss(runs: Sequence[RunRecord], key: Key) -> float | None:
    """Return the mean of runs by a key, less being better; None where none has a number."""
    cells = (finite(value(run, key.column)) for run in runs if run.state != PRUNED)
    numbers = [cell for cell in cells if cell is not None]
    if not numbers:
        return None
    mean = math.fsum(numbers) / len(numbers)
    return mean if key.lower else -mean


def rank(value: Any, lower: bool) -> tuple[int, float, str]:
    """Return the sort key of a value: numbers from the best on, then text, NaN and null.

    >>> sorted([None, 9.5, 10, float("nan")], key=lambda value: rank(value, lower=False))
    [10, 9.5, nan, None]
    """
    if (number := as_number(value)) is not None:
        if number != number:
            return (2, 0.0, "")
        return (0, number if lower else -number, "")
    return (3, 0.0, "") if value is None else (1, 0.0, str(value))


SETTLED = frozenset({"done", "unknown"})
"""States that need no column where all runs have them."""


class Row(NamedTuple):
    """A row of a table: its cells, and the run that it shows, if it is one."""

    cells: tuple[Any, ...]
    record: RunRecord | None = None


class Table(NamedTuple):
    """A table to render: its columns, its rows in their order, and the keys that sorted them.

    ``notes`` are remarks for people.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()


def runs_table(results: Iterable[RunRecord], question: Question = Question()) -> Table:  # noqa: B008
    """Return the table of runs, the best first where a metric decides, else by name."""
    runs = chosen(results, question)
    keys = sort_keys(runs, question)
    shown = best_first(runs, keys, question)
    columns = asked_columns(runs, question) if question.columns else own_columns(runs, question)
    cells = zip(*(map(getter(column), shown) for column in columns), strict=True)
    rows = tuple(map(Row, cells, shown))
    return Table(columns, rows, tuple(keys))


def chosen(results: Iterable[RunRecord], question: Question) -> list[RunRecord]:
    """Return the runs for which a question's condition holds, by name."""
    runs = sorted(results, key=lambda run: (run.experiment, run.name, os.fspath(run.dir)))
    if not question.where:
        return runs
    from runx.sweeps.expressions import parse

    text = re.sub(r"(?<=\w)@(?=\d)", ":", question.where)
    hparams = (f"{HPARAMS}{name}" for name in names_of(run.hparams for run in runs))
    metrics = (f"{METRICS}{name}" for name in names_of(run.metrics for run in runs))
    measures = (measure.name for measure in question.measures)
    holds = parse(text, [*fields(runs), *hparams, *metrics, *measures]).choose(
        map(everything, runs)
    )
    return list(itertools.compress(runs, holds))


def asked_columns(runs: Sequence[RunRecord], question: Question) -> tuple[Column, ...]:
    """Return the columns that are asked for, the runs' names before them."""
    measured = [measure.name for measure in question.measures]
    named = [*runs, *question.others]
    columns = [resolve(name, named, measured) for name in question.columns]
    first = [column for column in _name_columns(runs) if column not in columns]
    return (*first, *columns)


def own_columns(runs: Sequence[RunRecord], question: Question) -> tuple[Column, ...]:
    """Return the columns that a table chooses: hyperparameters that differ, metrics and states."""
    unsettled = any(run.state not in SETTLED or not run.metrics for run in runs)
    timed = any(run.epoch_time is not None for run in runs)
    rest = [
        *_metric_columns(runs, question),
        *([Column("epoch", "epoch")] if any(run.epoch is not None for run in runs) else []),
        *([Column("epoch_time", "epoch_time")] if timed else []),
        *([Column("state", "state")] if unsettled else []),
        *code_columns(runs),
    ]
    rest = [column for column in rest if column.heading not in question.ignore]
    labels = [Column(LABELS, LABELS)] if len({run.labels for run in runs}) > 1 else []
    taken = {"run", "experiment", "tool", *(column.heading for column in (*labels, *rest))}
    if question.all_hparams:
        names = [
            name for name in names_of(run.hparams for run in runs) if name not in question.ignore
        ]
    else:
        names = varying(runs, question.ignore)
    hparams = [
        Column(f"hparams.{name}" if name in taken else name, "hparam", name) for name in names
    ]
    resources = [
        column for column in varying_resources(runs) if column.heading not in question.ignore
    ]
    return (*_name_columns(runs), *labels, *hparams, *resources, *rest)


def _name_columns(runs: Sequence[RunRecord]) -> list[Column]:
    several = len({run.experiment for run in runs}) > 1
    mixed = len({run.tool for run in runs}) > 1
    return [
        *([Column("tool", "tool")] if mixed else []),
        *([Column("experiment", "experiment")] if several else []),
        Column("run", "run"),
    ]


def _metric_columns(runs: Sequence[RunRecord], question: Question) -> list[Column]:
    """Return the metrics in the order in which scripts write them, the best after the last."""
    names = names_of(run.metrics for run in runs)
    columns = [metric_column(name) for name in names]
    for measure in question.sort_measures:
        if any(measure.name in run.measured for run in runs):
            heads = [column.heading for column in columns]
            at = heads.index(measure.metric) + 1 if measure.metric in heads else len(heads)
            columns.insert(at, Column(measure.name, "measured", measure.name))
    return columns
