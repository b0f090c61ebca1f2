"""Results made into a table: which columns, which rows, in which order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from runx.better import direction, lower_is_better
from runx.errors import RunxError
from runx.nearest import listed, nearest_first
from runx.tally import Measure
from runx.types import Result

IGNORED = ("logdir", "command", "result_dir", "nbr_workers", "paths", "val_paths")
"""Hyperparameters that never tell runs apart, as with the original."""
SETTLED = frozenset({"done", "unknown"})
"""States that go without saying where all runs have them."""


class Column(NamedTuple):
    """A column: its heading, what kind of thing it holds, and that thing's name.

    ``kind`` is experiment, run, hparam, metric, measured, epoch, epoch_time or state.
    """

    heading: str
    kind: str
    name: str = ""


class Row(NamedTuple):
    """A row of the table: its cells, and the run that it shows."""

    cells: tuple[Any, ...]
    result: Result


class Summary(NamedTuple):
    """A table, ready to be written: columns, rows in their order, and what decided the order."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person wants to see of their runs."""

    sortwith: str = ""
    ignore: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is to be looked for in every run beyond its last epoch."""
        if not self.sortwith:
            return ()
        at = "min" if self.is_lower(self.sortwith) else "max"
        return (Measure(best(self.sortwith), self.sortwith, at),)

    def is_lower(self, metric: str) -> bool:
        """Whether less of a metric is better."""
        return lower_is_better(metric, self.lower, self.higher)


def best(metric: str) -> str:
    """Name the best value of a metric, as the original does."""
    return f"{metric}-best"


def summarize(results: Iterable[Result], question: Question = Question()) -> Summary:
    """Make a table of runs, the best first where a metric decides; else by name."""
    runs = sorted(results, key=lambda run: (run.experiment, run.name, str(run.dir.path)))
    deciding = _deciding(runs, question)
    if deciding:
        runs = _ranked(runs, deciding, question)
    shown = columns(runs, question)
    rows = tuple(Row(tuple(value(run, column) for column in shown), run) for run in runs)
    return Summary(shown, rows, deciding.heading if deciding else "")


def _deciding(runs: Sequence[Result], question: Question) -> Column | None:
    """Find the column that decides the order: what is asked for, else a loss, else what can."""
    metrics = names_of(run.metrics for run in runs)
    if question.sortwith:
        name = best(question.sortwith)
        if runs and not any(name in run.measured for run in runs):
            raise RunxError(_unknown_metric(question.sortwith, metrics))
        return Column(name, "measured", name)
    candidates = [
        *(name for name in metrics if "loss" in name.lower()),
        *(name for name in (*question.lower, *question.higher) if name in metrics),
        *(name for name in metrics if direction(name) is not None),
        *(metrics if len(metrics) == 1 else ()),
    ]
    return Column(candidates[0], "metric", candidates[0]) if candidates else None


def _unknown_metric(name: str, metrics: Sequence[str]) -> str:
    if not metrics:
        return f"can't sort with {name}: no run has metrics yet"
    there = listed(nearest_first(name, metrics))
    return f"can't sort with {name}: no run has such a metric; there {there}"


def _ranked(runs: Sequence[Result], by: Column, question: Question) -> list[Result]:
    """Order runs: numbers from the best on, then what is no number, then what has none."""
    lower = question.is_lower(by.name.removesuffix("-best") if by.kind == "measured" else by.name)

    def key(run: Result) -> tuple[int, float]:
        found = value(run, by)
        if isinstance(found, (int, float)) and found == found:
            return (0, found if lower else -found)
        return (2 if found is None else 1, 0.0)

    return sorted(runs, key=key)


def columns(runs: Sequence[Result], question: Question) -> tuple[Column, ...]:
    """Choose the columns: what tells the runs apart, and what they have come to."""
    several = len({run.experiment for run in runs}) > 1
    unsettled = any(run.state not in SETTLED or not run.metrics for run in runs)
    timed = any(run.epoch_time is not None for run in runs)
    rest = [
        *_metric_columns(runs, question),
        *([Column("epoch", "epoch")] if any(run.epoch is not None for run in runs) else []),
        *([Column("epoch_time", "epoch_time")] if timed else []),
        *([Column("state", "state")] if unsettled else []),
    ]
    taken = {"run", "experiment", *(column.heading for column in rest)}
    first = [Column("experiment", "experiment")] if several else []
    hparams = [
        Column(f"hparams.{name}" if name in taken else name, "hparam", name)
        for name in varying(runs, question.ignore)
    ]
    return (*first, Column("run", "run"), *hparams, *rest)


def _metric_columns(runs: Sequence[Result], question: Question) -> list[Column]:
    names = names_of(run.metrics for run in runs)
    found = [Column(name, "metric", name) for name in names]
    if question.sortwith:
        at = names.index(question.sortwith) + 1 if question.sortwith in names else len(names)
        name = best(question.sortwith)
        found.insert(at, Column(name, "measured", name))
    return found


def names_of(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the keys of all mappings, each once, in the order of their appearance."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def value(run: Result, column: Column) -> Any:
    """Give what a run has for a column, None where it has nothing."""
    kind = column.kind
    if kind == "hparam":
        return run.hparams.get(column.name)
    if kind == "metric":
        return run.metrics.get(column.name)
    if kind == "measured":
        return run.measured.get(column.name)
    if kind == "run":
        return run.name
    if kind == "state":
        return run.state if run.metrics else f"{run.state}, no metrics"
    return getattr(run, kind)


def varying(runs: Sequence[Result], ignore: Iterable[str] = ()) -> list[str]:
    """Name the hyperparameters that differ between runs.

    Values that hold the run's own directory differ of necessity and don't count; a parameter that
    is left out is the same as null.
    """
    skipped = {*IGNORED, *ignore}
    names = [name for name in names_of(run.hparams for run in runs) if name not in skipped]
    return [name for name in names if _differs(runs, name)]


def _differs(runs: Sequence[Result], name: str) -> bool:
    seen: set[Any] = set()
    for run in runs:
        found = run.hparams.get(name)
        if not _holds_logdir(found, run):
            seen.add(identity(found))
            if len(seen) > 1:
                return True
    return False


def _holds_logdir(found: Any, run: Result) -> bool:
    if isinstance(found, str):
        symbolic = "LOGDIR" in found and re.search(r"\bLOGDIR\b", found) is not None
        return symbolic or f"/{run.name}/" in f"{found}/"
    if isinstance(found, (list, tuple)):
        return any(_holds_logdir(item, run) for item in found)
    return False


def identity(found: Any) -> Any:
    """Give what makes two values the same: 1 and 1.0 are, 1 and true are not.

    >>> identity(1) == identity(1.0), identity(1) == identity(True)
    (True, False)
    """
    if isinstance(found, (list, tuple)):
        return tuple(map(identity, found))
    if isinstance(found, dict):
        return tuple((name, identity(inner)) for name, inner in found.items())
    return ("truth", found) if isinstance(found, bool) else found
