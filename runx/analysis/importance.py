"""What moves a metric: the part of its variance that each hyperparameter explains alone. Pure."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, resolve, value, varying
from runx.analysis.groups import groups
from runx.analysis.question import Question
from runx.analysis.table import Row, Table
from runx.errors import RunxError
from runx.rundir.run import RunRecord

MOST, RANGES = 8, 5
"""A hyperparameter with more numbers than this is looked at in so many ranges."""


class Effect(NamedTuple):
    """A hyperparameter's part in a metric's variance, and the metric's mean at each value.

    ``trend`` is Spearman's rank correlation of the two, 0 for values that are no numbers.
    """

    name: str
    explained: float
    means: tuple[tuple[str, float, int], ...]
    trend: float


def effects(runs: Sequence[RunRecord], metric: Column, question: Question) -> list[Effect]:
    """Find what each hyperparameter explains, the most important first.

    The part explained is corrected for the number of values (omega squared), so that a parameter
    with a value of its own in every run explains nothing by that. Chance is told from what the
    other parameters do as far as the runs allow.
    """
    measured = [run for run in runs if _number(run, metric) is not None]
    results = [_number(run, metric) or 0.0 for run in measured]
    names = varying(measured, question.ignore)
    split = {name: _split(measured, Column(name, "hparam", name)) for name in names}
    numbers = {
        name: [[_number(run, metric) or 0.0 for run in group] for _, group in groups]
        for name, groups in split.items()
    }
    noise = _noise(list(numbers.values()))
    found = [
        Effect(
            name,
            omega_squared(numbers[name], noise),
            _marginal(split[name], numbers[name]),
            _trend([run.hparams.get(name) for run in measured], results),
        )
        for name in names
    ]
    return sorted(found, key=lambda effect: (-effect.explained, effect.name))


def _number(run: RunRecord, metric: Column) -> float | None:
    found = value(run, metric)
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def _split(runs: Sequence[RunRecord], column: Column) -> list[tuple[str, list[RunRecord]]]:
    """Put runs together by a hyperparameter's value, or, where numbers are many, by its range."""
    members = groups(runs, [column])
    values = [value(run, column) for run in runs]
    if len(members) <= MOST or not all(type(one) in (int, float) for one in values):
        return [(for_machines(value(group[0], column)) or "null", group) for group in members]
    ordered = sorted(runs, key=lambda run: value(run, column))
    edges = [round(at * len(ordered) / RANGES) for at in range(RANGES + 1)]
    ranges = [ordered[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]
    return [
        (f"{value(part[0], column):.3g} to {value(part[-1], column):.3g}", part) for part in ranges
    ]


def _marginal(
    split: Sequence[tuple[str, list[RunRecord]]], numbers: Sequence[Sequence[float]]
) -> tuple[tuple[str, float, int], ...]:
    """Give the metric's mean at each value, from low to high."""
    found = (
        (label, math.fsum(group) / len(group), len(group))
        for (label, _), group in zip(split, numbers, strict=True)
    )
    return tuple(sorted(found, key=lambda one: one[1]))


def _trend(values: Sequence[Any], results: Sequence[float]) -> float:
    return spearman(values, results) if all(type(one) in (int, float) for one in values) else 0.0


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two rows of numbers; 0 where either is constant.

    >>> spearman([1, 2, 2, 9], [10, 20, 20, 30]), spearman([1, 2], [3, 3])
    (1.0, 0.0)
    """
    from statistics import correlation

    left, right = _ranks(one), _ranks(other)
    return correlation(left, right) if len({*left}) > 1 < len({*right}) else 0.0


def _ranks(numbers: Sequence[float]) -> list[int]:
    """Return twice the rank of each number, less one: equal numbers share the mean of theirs."""
    ordered = sorted(numbers)
    return [bisect_left(ordered, one) + bisect_right(ordered, one) for one in numbers]


def _sums(numbers: Sequence[Sequence[float]]) -> tuple[float, float, int]:
    """Give the sum of squares of numbers, the part inside their groups, and how many they are."""
    every = [one for group in numbers for one in group]
    mean = math.fsum(every) / len(every)
    total = math.fsum((one - mean) ** 2 for one in every)
    means = [math.fsum(group) / len(group) for group in numbers]
    inside = math.fsum(
        (one - middle) ** 2 for group, middle in zip(numbers, means, strict=True) for one in group
    )
    return total, inside, len(every)


def _noise(all_numbers: Sequence[Sequence[Sequence[float]]]) -> float | None:
    """Estimate the variance that no hyperparameter explains, where the runs are a grid of them."""
    if not all_numbers:
        return None
    sums = [_sums(numbers) for numbers in all_numbers]
    total, _, count = sums[0]
    # A parameter that has nearly as many values as there are runs, a seed, leaves nothing over.
    usual = [
        (total - inside, len(numbers) - 1)
        for (_, inside, _), numbers in zip(sums, all_numbers, strict=True)
        if len(numbers) * 2 <= count
    ]
    rest = total - math.fsum(between for between, _ in usual)
    freedom = count - 1 - sum(degrees for _, degrees in usual)
    # In a grid the parts add up; where they are more than the whole, runs are no grid.
    grid = rest >= -1e-9 * total
    return max(rest, 0.0) / freedom if freedom > 0 and grid and usual else None


def omega_squared(numbers: Sequence[Sequence[float]], noise: float | None = None) -> float:
    """Estimate the part of the variance of numbers that is between their groups, from 0 to 1.

    >>> round(omega_squared([[1.0, 1.1], [5.0, 5.1]]), 2)
    1.0
    >>> omega_squared([[1.0], [5.0]])
    0.0
    """
    total, inside, count = _sums(numbers)
    freedom = count - len(numbers)
    if freedom < 1 or total <= 0:
        return 0.0
    error = noise if noise is not None else inside / freedom
    between = total - inside - (len(numbers) - 1) * error
    return min(max(between / (total + error), 0.0), 1.0)


def importance(runs: Sequence[RunRecord], name: str, question: Question) -> Table:
    """Make a table of what moves a metric, with its mean at each value from low to high."""
    metric = metric_named(name, runs, question)
    rows = tuple(
        Row((effect.name, effect.explained, _written(effect)))
        for effect in effects(runs, metric, question)
    )
    if not rows:
        raise RunxError(f"importance of {name}: no hyperparameter differs between its runs")
    heads = (Column("hyperparameter", "run"), Column("explained", "metric"), Column("means", "run"))
    return Table(heads, rows)


def metric_named(name: str, runs: Sequence[RunRecord], question: Question) -> Column:
    """Find the column of a metric that is to be looked at."""
    return resolve(name, runs, [wanted.name for wanted in question.measures])


def _written(effect: Effect) -> str:
    shown = [f"{label}: {mean:.5g}" for label, mean, _ in effect.means]
    if len(shown) > 8:
        shown = [*shown[:4], "...", *shown[-4:]]
    return ", ".join(shown)


def pivot(
    runs: Sequence[RunRecord], down: str, across: str, name: str, question: Question
) -> Table:
    """Make a table of a metric's means by two hyperparameters."""
    metric = metric_named(name, runs, question)
    rows_by, columns_by = resolve(down, runs), resolve(across, runs)
    heads = _ordered(groups(runs, [columns_by]), columns_by)
    rows = []
    for group in _ordered(groups(runs, [rows_by]), rows_by):
        cells = [_mean(group, head[0], columns_by, metric) for head in heads]
        rows.append(Row((value(group[0], rows_by), *cells)))
    shown = [Column(for_machines(value(head[0], columns_by)) or "null", "metric") for head in heads]
    return Table((Column(f"{down} \\ {across}", "hparam", down), *shown), tuple(rows))


def _ordered(found: list[list[RunRecord]], by: Column) -> list[list[RunRecord]]:
    def key(group: list[RunRecord]) -> tuple[bool, float, str]:
        one = value(group[0], by)
        number = isinstance(one, (int, float))
        return (not number, one if number else 0.0, str(one))

    return sorted(found, key=key)


def _mean(group: Sequence[RunRecord], like: RunRecord, by: Column, metric: Column) -> float | None:
    same = [run for run in group if value(run, by) == value(like, by)]
    numbers = [number for run in same if (number := _number(run, metric)) is not None]
    return math.fsum(numbers) / len(numbers) if numbers else None
