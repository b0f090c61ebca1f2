"""Results made into a table: which columns, which rows, in which order. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runx.tables.columns import (
    Column,
    everything,
    fields,
    getter,
    names_of,
    resolve,
    varying,
    varying_resources,
)
from runx.tables.question import Question
from runx.tables.ranking import Key, deciding, ranked
from runx.types import RunRecord

SETTLED = frozenset({"done", "unknown"})
"""States that go without saying where all runs have them."""


class Row(NamedTuple):
    """A row of the table: its cells, and the run that it shows, if it is one."""

    cells: tuple[Any, ...]
    result: RunRecord | None = None


class Summary(NamedTuple):
    """A table, ready to be written: columns, rows in their order, and what decided the order.

    ``notes`` are what people should know of it.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()


def summarize(results: Iterable[RunRecord], question: Question = Question()) -> Summary:  # noqa: B008
    """Make a table of runs, the best first where a metric decides; else by name."""
    runs = chosen(results, question)
    keys = deciding(runs, question)
    shown = ranked(runs, keys)[: question.top]
    columns = asked_columns(runs, question) if question.columns else own_columns(runs, question)
    cells = zip(*(map(getter(column), shown) for column in columns), strict=True)
    rows = tuple(map(Row, cells, shown))
    return Summary(columns, rows, tuple(keys))


def chosen(results: Iterable[RunRecord], question: Question) -> list[RunRecord]:
    """Keep the runs that a question is about, in the order of their names."""
    runs = sorted(results, key=lambda run: (run.experiment, run.name, os.fspath(run.dir)))
    if not question.where:
        return runs
    from runx.language.expressions import parse

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
