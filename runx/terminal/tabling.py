"""What sumx's command line asks for, made into a table. Pure, but for what scipy does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runx.analysis.courses import latest
from runx.errors import RunxError
from runx.formats.cells import for_machines
from runx.formats.table import aligned
from runx.language.nearest import remedy
from runx.tables.asked import Asked
from runx.tables.columns import Column, fields, names_of, resolve, value
from runx.tables.grouping import Grouping, best_per, grouped
from runx.tables.ranking import deciding
from runx.tables.summary import Summary, chosen, summarize
from runx.types import RunRecord

ENOUGH = 20
"""So many runs tell which metrics there are of phases that a table doesn't read."""


def answered(results: Sequence[RunRecord], asked: Asked, people: bool) -> Summary:
    """Make the table that is asked for."""
    if asked.importance or asked.pivot or asked.compare:
        return _explained(chosen(results, asked.question), asked)
    if asked.over or asked.by or asked.agg:
        agg = asked.agg or (() if people else ("mean", "std", "n"))
        return grouped(results, asked.question, Grouping(asked.over, asked.by, agg))
    summary = summarize(results, asked.question)
    if asked.best_per:
        summary = best_per(summary, asked.best_per)
        summary = summary._replace(rows=summary.rows[: asked.top])
    return summary


def _explained(runs: Sequence[RunRecord], asked: Asked) -> Summary:
    """Make a table of what moves a metric, or of whether two settings differ."""
    from runx.analysis.comparing import compare
    from runx.analysis.importance import importance, pivot

    question = asked.question
    if asked.importance:
        return importance(runs, asked.importance, question)
    if asked.pivot:
        keys = deciding(runs, question)
        name = asked.values or (keys[0].column.heading if keys else "")
        if not name:
            raise RunxError("--pivot: say with --values METRIC what is to be shown")
        return pivot(runs, *asked.pivot, name, question)
    over = [resolve(name, runs) for name in asked.over]
    names = (*asked.columns, *(question.deciding(name).name for name in asked.sortwith))
    metrics = [resolve(name, runs) for name in names] or [
        Column(name, "metric", name) for name in names_of(run.metrics for run in runs)
    ]
    assert asked.compare is not None
    return compare(runs, asked.compare, over, metrics)


def listing(results: Sequence[RunRecord]) -> str:
    """List what there is to show, sort and select by, with a type and an example of each."""
    rows = []
    for name in fields(results):
        column: Column = resolve(name, results)
        cells = [cell for run in results if (cell := value(run, column)) is not None]
        rows.append((name, column.kind, *_example(cells)))
    rows += [(name, "measured", *_example([cell])) for name, cell in _of_other_phases(results)]
    return aligned(("name", "what", "type", "example"), rows, (False,) * 4)


def _example(cells: Sequence[Any]) -> tuple[str, str]:
    return (type(cells[0]).__name__, for_machines(cells[0])) if cells else ("", "")


def _of_other_phases(results: Sequence[RunRecord]) -> Iterable[tuple[str, Any]]:
    """Name what the first runs have measured besides validation, which few tables need."""
    found: dict[str, Any] = {}
    for run in results[:ENOUGH]:
        for phase in ("train", "test"):
            for name, cell in latest(run, phase).items():
                found.setdefault(f"{phase}.{name}", cell)
    return found.items()


def remarks(results: Sequence[RunRecord], asked: Asked) -> Iterator[str]:
    """Say of what is asked for that no run has it, where the table would be silent."""
    question = asked.question
    if question.at is not None and not any(run.metrics for run in results):
        yield f"--at {asked.at}: no run has metrics of that epoch"
    metrics = names_of(run.metrics for run in results) if asked.lower or asked.higher else []
    looked_for = {*metrics, *(wanted.metric for wanted in question.measures)}
    for name in (*asked.lower, *asked.higher):
        if name not in looked_for:
            yield f"{name} is no metric of any run: {remedy(name, metrics)}"
    for name in asked.columns:
        if question.measure(name) and not any(name in run.measured for run in results):
            yield f"no run has {name}"
