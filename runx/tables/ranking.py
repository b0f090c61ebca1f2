"""Runs in their order: the best first where a metric decides. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from runx.errors import RunxError
from runx.language.nearest import listed, nearest_first
from runx.metrics.better import direction
from runx.tables.columns import Column, getter, names_of, resolve
from runx.tables.question import Question
from runx.types import RunRecord


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
