"""Runs of experiments, read and made into the table that a question asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, fields, names_of, resolve, value
from runx.analysis.curves import latest
from runx.analysis.groups import Grouping, best_per, grouped
from runx.analysis.question import Asked
from runx.analysis.read import Reader, read_experiment
from runx.analysis.select import matches
from runx.analysis.table import Table, chosen, deciding, summarize
from runx.errors import RunxError
from runx.nearest import listed, remedy
from runx.processes import hands
from runx.rundir.experiments import find
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

Say = Callable[[str], None]


ENOUGH = 20
"""So many runs tell which metrics there are of phases that a table doesn't read."""


class Field(NamedTuple):
    """Something to show, sort and select by: what it is, its type and an example."""

    name: str
    what: str
    type: str
    example: str


def experiments_of(asked: Asked) -> list[ExperimentDir]:
    """Return the experiments that are asked for."""
    return find(asked.experiments, asked.logroot, asked.cwd)


def read(found: Sequence[ExperimentDir], asked: Asked, say: Say, warn: Say) -> Iterator[RunRecord]:
    """Read the runs; for a fair comparison first how far all of them are."""
    question, at = asked.question, asked.question.at
    if asked.at == "min":
        quiet = Reader(warn=lambda line: None, attempts=False, hands=hands(), ask=False)
        epochs = [run.epoch for one in found for run in read_experiment(one, quiet)]
        at = min((epoch for epoch in epochs if epoch is not None), default=None)
        if at is not None:
            say(f"metrics are those of epoch {at:g}, which all runs have reached")
    reader = Reader(question.measures, warn, at, question.details, attempts=False, hands=hands())
    for experiment in found:
        runs = read_experiment(experiment, reader)
        yield from _of_launch(list(runs), asked.launch) if asked.launch else runs


def _of_launch(runs: Sequence[RunRecord], launch: str) -> list[RunRecord]:
    """Return the runs of one launch, named by the beginning of its time, or ``last``."""
    names = sorted({str(run.details["launch"]) for run in runs if run.details.get("launch")})
    if not names:
        return []
    if launch != "last":
        matching = [name for name in names if name.startswith(launch)]
        if not matching:
            raise RunxError(f"--launch {launch}: no such launch; there are: {', '.join(names)}")
        names = matching
    return [run for run in runs if run.details.get("launch") == names[-1]]


def selected(results: Sequence[RunRecord], asked: Asked) -> Sequence[RunRecord]:
    """Return the runs for which the condition holds.

    Raises:
        RunxError: There is none.
    """
    kept = chosen(results, asked.question) if asked.where else results
    if not kept:
        raise RunxError(f"--where {asked.where}: no run is like that; sumx --fields lists what is")
    return kept


def nothing(found: Sequence[ExperimentDir]) -> RunxError:
    """Return the error that experiments have no run."""
    names = ", ".join(str(experiment.path) for experiment in found)
    return RunxError(
        f"{names}: no runs here; a run's directory holds run.json, hparams.json or metrics.csv"
    )


def table(results: Sequence[RunRecord], asked: Asked, people: bool) -> Table:
    """Return the table that is asked for, as ``people`` or machines read it."""
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


def _explained(runs: Sequence[RunRecord], asked: Asked) -> Table:
    """Return a table of what moves a metric, or of whether two settings differ."""
    from runx.analysis.compare import compare
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


def fields_of(results: Sequence[RunRecord]) -> list[Field]:
    """Return what there is to show, sort and select by."""
    found = []
    for name in fields(results):
        column: Column = resolve(name, results)
        cells = [cell for run in results if (cell := value(run, column)) is not None]
        found.append(Field(name, column.kind, *_example(cells)))
    found += [
        Field(name, "measured", *_example([cell])) for name, cell in _of_other_phases(results)
    ]
    return found


def _example(cells: Sequence[Any]) -> tuple[str, str]:
    return (type(cells[0]).__name__, for_machines(cells[0])) if cells else ("", "")


def _of_other_phases(results: Sequence[RunRecord]) -> Iterable[tuple[str, Any]]:
    """Return what the first runs have measured besides validation, which few tables need."""
    found: dict[str, Any] = {}
    for run in results[:ENOUGH]:
        for phase in ("train", "test"):
            for name, cell in latest(run, phase).items():
                found.setdefault(f"{phase}.{name}", cell)
    return found.items()


def remarks(results: Sequence[RunRecord], asked: Asked) -> Iterator[str]:
    """Return what is asked for that no run has, where the table would be silent."""
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


def difference(results: Sequence[RunRecord], one: str, other: str) -> list[str]:
    """Return the lines in which two runs differ."""
    from runx.analysis.compare import difference as lines

    return list(lines(_named(results, one), _named(results, other)))


def _named(results: Sequence[RunRecord], word: str) -> RunRecord:
    """Return the one run that a word stands for."""
    places = matches(word, [run.name for run in results])
    if len(places) == 1:
        return results[places[0]]
    names = [results[at].name for at in places]
    problem = f"stands for several runs; there {listed(names)}" if places else "is no run here"
    raise RunxError(f"--diff: {word} {problem}")


def write_page(found: Sequence[ExperimentDir], asked: Asked, file: Path, warn: Say) -> int:
    """Write the page of the runs that are asked for; return how many they are."""
    from runx.report.page import write_report

    reader = Reader(asked.question.measures, warn, details=asked.question.details, hands=hands())
    records = [record for each in found for record in read_experiment(each, reader)]
    if not records:
        raise nothing(found)
    kept = selected(_of_launch(records, asked.launch) if asked.launch else records, asked)
    write_report(file, found, kept, asked.question, time.time(), warn)
    return len(kept)
