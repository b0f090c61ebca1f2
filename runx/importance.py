"""What moves a metric: the part of its variance that each hyperparameter explains alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from runx.columns import Column, resolve, value, varying
from runx.errors import RunxError
from runx.formats.cells import for_machines
from runx.grouping import groups
from runx.question import Question
from runx.summary import Row, Summary
from runx.types import Result


class Effect(NamedTuple):
    """A hyperparameter's part in a metric's variance, and the metric's mean at each value."""

    name: str
    explained: float
    means: tuple[tuple[str, float, int], ...]


def effects(runs: Sequence[Result], metric: Column, question: Question) -> list[Effect]:
    """Find what each hyperparameter explains, the most important first.

    The part explained is corrected for the number of values (omega squared), so that a parameter
    with a value of its own in every run explains nothing by that.
    """
    measured = [run for run in runs if _number(run, metric) is not None]
    names = varying(measured, question.ignore)
    found = [_effect(measured, name, metric) for name in names]
    return sorted(found, key=lambda effect: (-effect.explained, effect.name))


def _number(run: Result, metric: Column) -> float | None:
    found = value(run, metric)
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def _effect(runs: Sequence[Result], name: str, metric: Column) -> Effect:
    column = Column(name, "hparam", name)
    members = groups(runs, [column])
    numbers = [[_number(run, metric) or 0.0 for run in group] for group in members]
    labels = [for_machines(value(group[0], column)) or "null" for group in members]
    means = [math.fsum(group) / len(group) for group in numbers]
    counts = [len(group) for group in numbers]
    marginal = sorted(zip(labels, means, counts, strict=True), key=lambda one: one[1])
    return Effect(name, omega_squared(numbers), tuple(marginal))


def omega_squared(numbers: Sequence[Sequence[float]]) -> float:
    """Estimate the part of the variance of numbers that is between their groups, from 0 to 1.

    >>> round(omega_squared([[1.0, 1.1], [5.0, 5.1]]), 2)
    1.0
    >>> omega_squared([[1.0], [5.0]])
    0.0
    """
    every = [one for group in numbers for one in group]
    mean = math.fsum(every) / len(every)
    total = math.fsum((one - mean) ** 2 for one in every)
    inside = math.fsum(
        (one - math.fsum(group) / len(group)) ** 2 for group in numbers for one in group
    )
    freedom = len(every) - len(numbers)
    if freedom < 1 or total <= 0:
        return 0.0
    error = inside / freedom
    between = total - inside - (len(numbers) - 1) * error
    return min(max(between / (total + error), 0.0), 1.0)


def importance(runs: Sequence[Result], name: str, question: Question) -> Summary:
    """Make a table of what moves a metric, with its mean at each value from low to high."""
    metric = metric_named(name, runs, question)
    rows = tuple(
        Row((effect.name, effect.explained, _written(effect)))
        for effect in effects(runs, metric, question)
    )
    if not rows:
        raise RunxError(f"importance of {name}: no hyperparameter differs between its runs")
    heads = (Column("hyperparameter", "run"), Column("explained", "metric"), Column("means", "run"))
    return Summary(heads, rows)


def metric_named(name: str, runs: Sequence[Result], question: Question) -> Column:
    """Find the column of a metric that is to be looked at."""
    return resolve(name, runs, [wanted.name for wanted in question.measures])


def _written(effect: Effect) -> str:
    shown = [f"{label}: {mean:.5g}" for label, mean, _ in effect.means]
    if len(shown) > 8:
        shown = [*shown[:4], "...", *shown[-4:]]
    return ", ".join(shown)


def pivot(runs: Sequence[Result], down: str, across: str, name: str, question: Question) -> Summary:
    """Make a table of a metric's means by two hyperparameters."""
    metric = metric_named(name, runs, question)
    rows_by, columns_by = resolve(down, runs), resolve(across, runs)
    heads = _ordered(groups(runs, [columns_by]), columns_by)
    rows = []
    for group in _ordered(groups(runs, [rows_by]), rows_by):
        cells = [_mean(group, head[0], columns_by, metric) for head in heads]
        rows.append(Row((value(group[0], rows_by), *cells)))
    shown = [Column(for_machines(value(head[0], columns_by)) or "null", "metric") for head in heads]
    return Summary((Column(f"{down} \\ {across}", "hparam", down), *shown), tuple(rows))


def _ordered(found: list[list[Result]], by: Column) -> list[list[Result]]:
    def key(group: list[Result]) -> tuple[bool, float, str]:
        one = value(group[0], by)
        number = isinstance(one, (int, float))
        return (not number, one if number else 0.0, str(one))

    return sorted(found, key=key)


def _mean(group: Sequence[Result], like: Result, by: Column, metric: Column) -> float | None:
    same = [run for run in group if value(run, by) == value(like, by)]
    numbers = [number for run in same if (number := _number(run, metric)) is not None]
    return math.fsum(numbers) / len(numbers) if numbers else None
