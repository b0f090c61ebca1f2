"""The importance of hyperparameters: the part of a metric's variance that each explains. Pure."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, as_number, finite, identity, resolve, value, varying
from runx.analysis.groups import groups
from runx.analysis.question import Question
from runx.analysis.table import Row, Table
from runx.errors import RunxError
from runx.rundir.run import RunRecord

MOST, RANGES = 8, 5
"""A hyperparameter with more than MOST numbers is split into RANGES ranges."""


class Effect(NamedTuple):
    """The part of a metric's variance that a hyperparameter explains, and its mean at each value.

    ``trend`` is Spearman's rank correlation of the two, 0 for values that are no numbers.
    """

    name: str
    explained: float
    means: tuple[tuple[str, float, int], ...]
    trend: float


def effects(runs: Sequence[RunRecord], metric: Column, question: Question) -> list[Effect]:
    """Return the effect of each hyperparameter that differs, the most important first.

    The part explained is corrected for the number of values (omega squared), so that a parameter
    with a value of its own in every run explains nothing by that. The effects of the other
    parameters are not taken for noise as far as the runs allow.
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
    unordered = [
        Effect(
            name,
            omega_squared(numbers[name], noise),
            _marginal(split[name], numbers[name]),
            _trend([run.hparams.get(name) for run in measured], results),
        )
        for name in names
    ]
    return sorted(unordered, key=lambda effect: (-effect.explained, effect.name))


def _number(run: RunRecord, metric: Column) -> float | None:
    return finite(value(run, metric))


def _split(runs: Sequence[RunRecord], column: Column) -> list[tuple[str, list[RunRecord]]]:
    """Return labelled groups of runs by a hyperparameter's value, or range of many numbers."""
    members = groups(runs, [column])
    # What a case of a search leaves out is null in the others.
    there = [run for run in runs if value(run, column) is not None]
    is_numeric = all(type(value(run, column)) in (int, float) for run in there)
    if len(members) <= MOST or not is_numeric:
        return [(for_machines(value(group[0], column)) or "null", group) for group in members]
    if len(there) < len(runs):
        rest = [run for run in runs if value(run, column) is None]
        return [*_split(there, column), ("null", rest)]
    ordered = sorted(runs, key=lambda run: value(run, column))
    edges = [round(at * len(ordered) / RANGES) for at in range(RANGES + 1)]
    ranges = [ordered[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]
    return [
        (
            f"{as_number(value(part[0], column)):.3g} to {as_number(value(part[-1], column)):.3g}",
            part,
        )
        for part in ranges
    ]


def _marginal(
    split: Sequence[tuple[str, list[RunRecord]]], numbers: Sequence[Sequence[float]]
) -> tuple[tuple[str, float, int], ...]:
    """Return label, mean and number of runs of each group, by ascending mean."""
    means = (
        (label, math.fsum(group) / len(group), len(group))
        for (label, _), group in zip(split, numbers, strict=True)
    )
    return tuple(sorted(means, key=lambda mean: mean[1]))


def _trend(values: Sequence[Any], results: Sequence[float]) -> float:
    return spearman(values, results) if all(type(each) in (int, float) for each in values) else 0.0


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
    return [bisect_left(ordered, each) + bisect_right(ordered, each) for each in numbers]


def _sums(numbers: Sequence[Sequence[float]]) -> tuple[float, float, int]:
    """Return the sum of squares of numbers, the part within their groups, and their count."""
    every = [number for group in numbers for number in group]
    mean = math.fsum(every) / len(every)
    total = math.fsum((number - mean) ** 2 for number in every)
    means = [math.fsum(group) / len(group) for group in numbers]
    inside = math.fsum(
        (number - mean) ** 2 for group, mean in zip(numbers, means, strict=True) for number in group
    )
    return total, inside, len(every)


def _noise(all_numbers: Sequence[Sequence[Sequence[float]]]) -> float | None:
    """Return the variance that no hyperparameter explains, None where the runs are no grid."""
    if not all_numbers:
        return None
    sums = [_sums(numbers) for numbers in all_numbers]
    total, _, count = sums[0]
    # A parameter that has nearly as many values as there are runs, a seed, leaves nothing over.
    axes = [
        (total - inside, len(numbers) - 1)
        for (_, inside, _), numbers in zip(sums, all_numbers, strict=True)
        if len(numbers) * 2 <= count
    ]
    rest = total - math.fsum(between for between, _ in axes)
    freedom = count - 1 - sum(degrees for _, degrees in axes)
    # In a grid the parts add up; where they are more than the total, runs are no grid.
    is_grid = rest >= -1e-9 * total
    return max(rest, 0.0) / freedom if freedom > 0 and is_grid and axes else None


def omega_squared(numbers: Sequence[Sequence[float]], noise: float | None = None) -> float:
    """Return omega squared: the estimated part of a variance between groups, from 0 to 1.

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
    """Return a table of each hyperparameter's importance for a metric, and the means at its values.

    Raises:
        RunxError: No hyperparameter differs.
    """
    metric = metric_named(name, runs, question)
    rows = tuple(
        Row((effect.name, effect.explained, _means_text(effect)))
        for effect in effects(runs, metric, question)
    )
    if not rows:
        raise RunxError(f"importance of {name}: no hyperparameter differs between its runs")
    heads = (Column("hyperparameter", "run"), Column("explained", "metric"), Column("means", "run"))
    return Table(heads, rows)


def metric_named(name: str, runs: Sequence[RunRecord], question: Question) -> Column:
    """Return the column of a metric, or of one of the question's measures."""
    return resolve(name, runs, [measure.name for measure in question.measures])


def _means_text(effect: Effect) -> str:
    shown = [f"{label}: {mean:.5g}" for label, mean, _ in effect.means]
    if len(shown) > 8:
        shown = [*shown[:4], "...", *shown[-4:]]
    return ", ".join(shown)


def pivot(
    runs: Sequence[RunRecord], down: str, across: str, name: str, question: Question
) -> Table:
    """Return a table of a metric's means by two hyperparameters."""
    metric = metric_named(name, runs, question)
    rows_by, columns_by = resolve(down, runs), resolve(across, runs)
    heads = _ordered(groups(runs, [columns_by]), columns_by)
    rows = []
    for group in _ordered(groups(runs, [rows_by]), rows_by):
        cells = [_mean(group, head[0], columns_by, metric) for head in heads]
        rows.append(Row((value(group[0], rows_by), *cells)))
    shown = [Column(for_machines(value(head[0], columns_by)) or "null", "metric") for head in heads]
    return Table((Column(f"{down} \\ {across}", "hparam", down), *shown), tuple(rows))


def _ordered(groups: list[list[RunRecord]], by: Column) -> list[list[RunRecord]]:
    def key(group: list[RunRecord]) -> tuple[bool, float, str]:
        cell = value(group[0], by)
        number = as_number(cell)
        return (number is None, number or 0.0, for_machines(cell))

    return sorted(groups, key=key)


def _mean(group: Sequence[RunRecord], like: RunRecord, by: Column, metric: Column) -> float | None:
    wanted = identity(value(like, by))
    same = [run for run in group if identity(value(run, by)) == wanted]
    numbers = [number for run in same if (number := _number(run, metric)) is not None]
    return math.fsum(numbers) / len(numbers) if numbers else None
