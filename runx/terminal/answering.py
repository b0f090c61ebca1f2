"""A question about experiments, answered: read, chosen, made into a table and written."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runx.disk.experiments import find, said
from runx.errors import RunxError
from runx.forks import hands
from runx.formats import format_named, written
from runx.formats.cells import DIGITS, for_machines
from runx.formats.table import aligned, fitted, render_bold
from runx.language.nearest import listed
from runx.reading.collect import collect, standings
from runx.reading.selecting import matches
from runx.reading.standing import Reader
from runx.rundir import ExperimentDir, write_whole
from runx.tables.asked import Asked
from runx.tables.columns import Column, fields, names_of, resolve, value
from runx.tables.grouping import Grouping, best_per, grouped
from runx.tables.ranking import deciding
from runx.tables.summary import Summary, chosen, summarize
from runx.terminal.manners import look_once, say
from runx.types import Result


def answer(asked: Asked) -> None:
    """Print the answer, again and again where it is watched."""
    format_named(asked.format)
    if asked.html_file:
        _html(asked, Path(asked.html_file))
        return
    while asked.watch is not None:
        click.clear()
        _once(asked)
        time.sleep(max(asked.watch, 0.1))
    look_once()
    _once(asked)


def _once(asked: Asked) -> None:
    found = find(asked.experiments, asked.logroot, asked.cwd)
    results = list(_read(found, asked))
    if not results:
        raise RunxError(_nothing(found))
    if asked.fields or asked.diff or asked.plot:
        click.echo(_other(results, asked))
        return
    summary = answered(results, asked, format_named(asked.format).people)
    if not summary.rows:
        raise RunxError(f"--where {asked.where}: no run is like that; sumx --fields lists what is")
    for note in summary.notes:
        say(note)
    if asked.csv_file:
        _csv(asked, results)
    if asked.csv_file != "-":
        _write(asked, found, summary)


def _other(results: Sequence[Result], asked: Asked) -> str:
    """Answer what is answered by no table."""
    if asked.fields:
        return listing(results)
    if asked.diff:
        from runx.analysis.differing import difference

        one, two = (_named(results, word) for word in asked.diff)
        return "\n".join(difference(one, two))
    from runx.plots import plotted

    return plotted(asked.plot, chosen(results, asked.question), asked)


def _named(results: Sequence[Result], word: str) -> Result:
    """Find the one run that a word stands for."""
    found = matches(word, [run.name for run in results])
    if len(found) == 1:
        return results[found[0]]
    names = [results[at].name for at in found]
    problem = f"stands for several runs; there {listed(names)}" if found else "is no run here"
    raise RunxError(f"--diff: {word} {problem}")


def _html(asked: Asked, file: Path) -> None:
    """Write the page of the runs that are asked for."""
    from runx.report import write_report

    found = find(asked.experiments, asked.logroot, asked.cwd)
    reader = Reader(asked.question.measures, _warn, details=asked.question.details, hands=hands())
    seen = {one.result.dir: one for each in found for one in standings(each, reader)}
    if not seen:
        raise RunxError(_nothing(found))
    results = [one.result for one in seen.values()]
    results = _of_launch(results, asked.launch) if asked.launch else results
    kept = [seen[result.dir] for result in chosen(results, asked.question)]
    if not kept:
        raise RunxError(f"--where {asked.where}: no run is like that; sumx --fields lists what is")
    write_report(file, found, kept, asked.question, time.time(), _warn)
    say(f"{file}: {len(kept)} runs; open it in any browser")


def _read(found: Sequence[ExperimentDir], asked: Asked) -> Iterator[Result]:
    """Read the runs; for a fair comparison first how far all of them are."""
    question, at = asked.question, asked.question.at
    if asked.at == "min":
        quiet = Reader(warn=lambda line: None, hands=hands())
        epochs = [run.epoch for one in found for run in collect(one, quiet)]
        at = min((epoch for epoch in epochs if epoch is not None), default=None)
        if at is not None:
            say(f"metrics are those of epoch {at:g}, which all runs have reached")
    reader = Reader(question.measures, _warn, at=at, details=question.details, hands=hands())
    for experiment in found:
        runs = list(collect(experiment, reader))
        yield from _of_launch(runs, asked.launch) if asked.launch else runs


def _of_launch(runs: Sequence[Result], launch: str) -> list[Result]:
    """Keep the runs of one launch, named by the beginning of its time, or ``last``."""
    names = sorted({str(run.details["launch"]) for run in runs if run.details.get("launch")})
    if not names:
        return []
    if launch != "last":
        matching = [name for name in names if name.startswith(launch)]
        if not matching:
            raise RunxError(f"--launch {launch}: no such launch; there are: {', '.join(names)}")
        names = matching
    return [run for run in runs if run.details.get("launch") == names[-1]]


def answered(results: Sequence[Result], asked: Asked, people: bool) -> Summary:
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


def _explained(runs: Sequence[Result], asked: Asked) -> Summary:
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


def listing(results: Sequence[Result]) -> str:
    """List what there is to show, sort and select by, with a type and an example of each."""
    rows = []
    for name in fields(results):
        column: Column = resolve(name, results)
        cells = [cell for run in results if (cell := value(run, column)) is not None]
        kind = type(cells[0]).__name__ if cells else ""
        rows.append((name, column.kind, kind, for_machines(cells[0]) if cells else ""))
    return aligned(("name", "what", "type", "example"), rows, (False,) * 4)


def _warn(line: str) -> None:
    say(f"warning: {line}")


def _nothing(found: Sequence[ExperimentDir]) -> str:
    names = ", ".join(str(experiment.path) for experiment in found)
    return f"{names}: no runs here; a run's directory holds run.json, hparams.json or metrics.csv"


def _write(asked: Asked, found: Sequence[ExperimentDir], summary: Summary) -> None:
    """Write the table where it is to go, on a terminal as it fits there."""
    digits = asked.precision or DIGITS
    if asked.output or asked.format == "parquet":
        _to_file(asked, format_named(asked.format).render(summary, digits))
    elif asked.format != "table":
        click.echo(written(asked.format, summary, digits))
    else:
        _show(asked, [line for one in found for line in said(one, _warn)], summary, digits)


def _show(asked: Asked, lines: Sequence[str], summary: Summary, digits: int) -> None:
    head = "".join(f"{line}\n" for line in lines) + ("\n" if lines else "")
    if not sys.stdout.isatty():
        click.echo(head + written("table", summary, digits))
        return
    import shutil

    size = shutil.get_terminal_size()
    summary, lost = fitted(summary, size.columns, digits)
    if lost:
        say(f"left out to fit the terminal: {', '.join(lost)}; --columns chooses")
    lower = [column.heading for column in summary.columns if asked.question.is_lower(column.name)]
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    table = written("table", summary, digits) if plain else render_bold(summary, digits, lower)
    long = table.count("\n") + 2 > size.lines and asked.watch is None and not plain
    (click.echo_via_pager if long else click.echo)(head + table)


def _to_file(asked: Asked, content: str | bytes) -> None:
    if not asked.output:
        raise RunxError(f"--format {asked.format} is not text; say where with -o FILE")
    file = Path(asked.output)
    try:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            write_whole(file, content + "\n")
    except OSError as error:
        raise RunxError(f"-o {file}: can't be written: {error.strerror}") from error


def _csv(asked: Asked, results: Sequence[Result]) -> None:
    """Write a CSV file; a name without an ending gets one, as with the original."""
    text = written("csv", answered(results, asked, people=False))
    name = asked.csv_file or ""
    if name == "-":
        click.echo(text)
        return
    file = Path(name if Path(name).suffix else f"{name}.csv")
    try:
        write_whole(file, text + "\n")
    except OSError as error:
        raise RunxError(f"--csv {file}: can't be written: {error.strerror}") from error
