"""Reading the runs of experiments, and making the tables of them that sumx shows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.codes import alike, code_note, marked
from runx.analysis.columns import SAME, Column, check_ignored, fields, names_of, resolve, value
from runx.analysis.curves import PHASES, last_metrics
from runx.analysis.groups import Grouping, best_per, grouped
from runx.analysis.places import places
from runx.analysis.question import TableOptions
from runx.analysis.read import Reader, read_experiment
from runx.analysis.select import matches
from runx.analysis.table import Table, chosen, runs_table, sort_keys
from runx.analysis.unmeasured import unmeasured
from runx.api.printing import Say
from runx.errors import RunxError
from runx.nearest import listed, suggestion
from runx.processes import worker_count
from runx.rundir.experiments import no_labelled
from runx.rundir.paths import ExperimentDir, metrics_of
from runx.rundir.run import RunRecord

_FEW = 3  # runs that are looked at to say which metrics there are where none is of validation
_SAMPLE = 20  # runs whose metrics of training and test are listed by fields_of


class Field(NamedTuple):
    """Something to show, sort and select by: its name, what it is, its type and an example.

    ``file``: the one that a metric stands in, relative to a run's directory, of the first run.
    """

    name: str
    what: str
    type: str
    example: str
    file: str = ""


def experiments_of(options: TableOptions, warn: Say) -> list[ExperimentDir]:
    """Return where the runs are that are named, with a line for what is barred.

    Raises:
        RunxError: There is no such experiment or path, or no run in it.
    """
    return places(options.experiments, options.logroot, options.cwd, warn)


def read(
    dirs: Sequence[ExperimentDir],
    options: TableOptions,
    say: Say,
    warn: Say,
    attempts: bool = False,
) -> Iterator[RunRecord]:
    """Read the runs of experiments; ``--at min`` first reads which epoch all have reached.

    Without ``attempts`` these are left out of the records where that saves time.
    """
    question = options.question
    reader = Reader(
        *(question.measures, warn, question.at, question.details),
        attempts=attempts,
        processes=worker_count(),
        labels=options.label,
    )
    if options.at == "min":
        quiet = reader._replace(measures=(), warn=lambda line: None, details=frozenset(), ask=False)
        epochs = [run.epoch for experiment in dirs for run in read_experiment(experiment, quiet)]
        at = min((epoch for epoch in epochs if epoch is not None), default=None)
        if at is not None:
            say(f"metrics are those of epoch {at:g}, which all runs have reached")
        reader = reader._replace(at=at)
    for experiment in dirs:
        runs = read_experiment(experiment, reader)
        yield from _of_launch(list(runs), options.launch) if options.launch else runs


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


def selected(
    runs: Sequence[RunRecord], options: TableOptions
) -> tuple[Sequence[RunRecord], TableOptions]:
    """Return the runs for which ``--where`` holds, and the options for these.

    Raises:
        RunxError: There is none.
    """
    matching, narrower = _narrowed(runs, options)
    if not matching:
        raise RunxError(
            f"--where {options.where}: no run is like that; sumx --fields lists what is"
        )
    return matching, narrower


def _narrowed(
    runs: Sequence[RunRecord], options: TableOptions
) -> tuple[Sequence[RunRecord], TableOptions]:
    """Return the runs for which ``--where`` holds, and options that know the names of all."""
    if not options.where:
        return runs, options
    matching = chosen(runs, options.question)
    kept = set(map(id, matching))
    others = tuple(run for run in runs if id(run) not in kept)
    return matching, replace(options, where="", others=others)


def no_runs(dirs: Sequence[ExperimentDir], labels: Sequence[str] = ()) -> RunxError:
    """Return the error that experiments have no run, or none with all of some labels."""
    if labels:
        return no_labelled(labels, dirs)
    names = ", ".join(str(experiment.path) for experiment in dirs)
    return RunxError(
        f"{names}: no runs here; a run's directory holds run.json, hparams.json or metrics.csv"
    )


def table(runs: Sequence[RunRecord], options: TableOptions, people: bool) -> Table:
    """Return the table of runs that options ask for, for ``people`` or machines."""
    runs, options = _narrowed(marked(alike(runs)), options)
    shown = _table(runs, options, people)
    if options.compare and not shown.notes:
        return shown  # The code of other runs differs, if any.
    note = code_note([row.record for row in shown.rows if row.record] or runs)
    return shown._replace(notes=(*shown.notes, note)) if note else shown


def _table(runs: Sequence[RunRecord], options: TableOptions, people: bool) -> Table:
    if options.ablation:
        from runx.analysis.ablation import ablation

        runs = chosen(runs, options.question)
        return _fitting(ablation(runs, options.ablation, options.by, options.question), people)
    if options.importance or options.pivot or options.compare:
        return _statistics(chosen(runs, options.question), options)
    if options.over or options.by or options.agg:
        agg = options.agg or (() if people else ("mean", "std", "n"))
        return grouped(runs, options.question, Grouping(options.over, options.by, agg))
    summary = runs_table(runs, options.question)
    if options.best_per:
        summary = best_per(summary, options.best_per)
        summary = summary._replace(rows=summary.rows[: options.top])
    return summary


def _fitting(table: Table, people: bool) -> Table:
    """Return a table without a last column that is empty, which people need not see."""
    if not people or any(row.cells[-1] for row in table.rows):
        return table
    rows = tuple(row._replace(cells=row.cells[:-1]) for row in table.rows)
    return table._replace(columns=table.columns[:-1], rows=rows)


def _statistics(runs: Sequence[RunRecord], options: TableOptions) -> Table:
    """Return the table of ``--importance``, ``--pivot`` or ``--compare``."""
    from runx.analysis.compare import compare
    from runx.analysis.importance import importance, pivot

    question = options.question
    if options.importance:
        return importance(runs, options.importance, question)
    if options.pivot:
        keys = sort_keys(runs, question)
        name = options.values or (keys[0].column.heading if keys else "")
        if not name:
            raise RunxError("--pivot: say with --values METRIC what is to be shown")
        return pivot(runs, *options.pivot, name, question)
    over = [resolve(name, runs) for name in options.over]
    names = (*options.columns, *(question.sort_measure(name).name for name in options.sortwith))
    metrics = [resolve(name, runs) for name in names] or [
        Column(name, "metric", name) for name in names_of(run.metrics for run in runs)
    ]
    assert options.compare is not None
    return compare(runs, options.compare, over, metrics)


def fields_of(runs: Sequence[RunRecord]) -> list[Field]:
    """Return the fields to show, sort and select by, those with two names once."""
    rows = []
    for name in fields(runs):
        column: Column = resolve(name, runs)
        if column.kind in SAME:
            continue
        cells = [cell for run in runs if (cell := value(run, column)) is not None]
        file = _file_of(name, runs) if column.kind == "metric" else ""
        what = "on request" if column.kind == "detail" else column.kind
        rows.append(Field(name, what, *_example(cells), file))
    return rows + [
        Field(name, "measured", *_example([cell]), _file_of(name, runs))
        for name, cell in _metrics_of_other_phases(runs)
    ]


def _file_of(name: str, runs: Sequence[RunRecord]) -> str:
    """Return the file in which the first run that has a metric has it: logx's, or another."""
    names = (name, f"test.{name}")  # those of tests, where a run has none of validation
    found = (run.sources[each] for run in runs for each in names if each in run.sources)
    phase, _, metric = name.rpartition(".")
    return next(found, metrics_of(phase if phase in PHASES and metric else "val"))


def _example(cells: Sequence[Any]) -> tuple[str, str]:
    """Return the type and the text of the first cell."""
    return (type(cells[0]).__name__, for_machines(cells[0])) if cells else ("", "")


def _metrics_of_other_phases(runs: Sequence[RunRecord]) -> Iterable[tuple[str, Any]]:
    """Return the metrics of training and test of the first runs, with a value of each."""
    metrics: dict[str, Any] = {}
    for run in runs[:_SAMPLE]:
        for phase in ("train", "test"):
            for name, cell in last_metrics(run, phase).items():
                metrics.setdefault(f"{phase}.{name}", cell)
    return metrics.items()


def remarks(runs: Sequence[RunRecord], options: TableOptions) -> Iterator[str]:
    """Return a line for what is missing: metrics, or those and the epoch that options name."""
    question = options.question
    if question.at is None:
        has_any = any(run.metrics for run in runs)
        others = [] if has_any else [name for name, _ in _metrics_of_other_phases(runs[:_FEW])]
        yield from unmeasured(runs, others)
        if others and not question.measures:
            yield (
                f"no run has metrics of validation or tests; there {listed(others)}:"
                f" -s {others[0]} sorts by it, --columns {others[0]} shows it"
            )
    if question.at is not None and not any(run.metrics for run in runs):
        yield f"--at {options.at}: no run has metrics of that epoch"
    metrics = names_of(run.metrics for run in runs) if options.lower or options.higher else []
    measured = {*metrics, *(measure.metric for measure in question.measures)}
    for name in (*options.lower, *options.higher):
        if name not in measured:
            yield f"{name} is no metric of any run: {suggestion(name, metrics)}"
    for name in options.columns:
        if question.measure(name) and not any(
            name in (*run.measured, *run.metrics) for run in runs
        ):
            yield f"no run has {name}"


def difference(runs: Sequence[RunRecord], one: str, other: str) -> list[str]:
    """Return the lines in which two runs differ.

    Raises:
        RunxError: A name is that of no run, or matches several.
    """
    from runx.analysis.compare import difference_lines as lines

    return list(lines(_named(runs, one), _named(runs, other)))


def _named(runs: Sequence[RunRecord], name: str) -> RunRecord:
    places = matches(name, [run.name for run in runs])
    if len(places) == 1:
        return runs[places[0]]
    names = [runs[place].name for place in places]
    problem = f"stands for several runs; there {listed(names)}" if places else "is no run here"
    raise RunxError(f"--diff: {name} {problem}")


def write_page(dirs: Sequence[ExperimentDir], options: TableOptions, file: Path, warn: Say) -> int:
    """Write the report of the runs that options select; return the number of its runs."""
    from runx.report.page import write_report

    reader = Reader(
        *(options.question.measures, warn),
        details=options.question.details,
        processes=worker_count(),
        labels=options.label,
    )
    runs = [run for experiment in dirs for run in read_experiment(experiment, reader)]
    if not runs:
        raise no_runs(dirs, options.label)
    check_ignored(runs, options.ignore)
    runs = _of_launch(runs, options.launch) if options.launch else runs
    shown, options = selected(runs, options)
    write_report(file, dirs, shown, options.question, time.time(), warn)
    return len(shown)
