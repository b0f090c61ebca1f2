"""A question about experiments, answered: read, chosen, made into a table and written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from runx.commands.lookup import warn
from runx.disk.experiments import find
from runx.errors import RunxError
from runx.formats import format_named
from runx.language.nearest import listed
from runx.processes import hands
from runx.reading.read import Reader, read_experiment
from runx.reading.select import matches
from runx.rundir import ExperimentDir
from runx.tables.asked import Asked
from runx.tables.summary import chosen
from runx.terminal.manners import look_once, say
from runx.terminal.tabling import answered, listing, remarks
from runx.terminal.writing import write, write_csv
from runx.types import RunRecord


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
    if asked.fields:
        click.echo(listing(results))
        return
    if asked.diff:
        from runx.analysis.differing import difference

        one, two = (_named(results, word) for word in asked.diff)
        click.echo("\n".join(difference(one, two)))
        return
    for remark in remarks(results, asked):
        say(remark)
    _shown(_chosen(results, asked), replace(asked, where=""), found)


def _shown(results: Sequence[RunRecord], asked: Asked, found: Sequence[ExperimentDir]) -> None:
    """Show runs as a picture or as a table, and write the files that are asked for besides."""
    if asked.plot:
        from runx.plots import plotted

        click.echo(plotted(asked.plot, results, asked))
        return
    summary = answered(results, asked, format_named(asked.format).people)
    for note in summary.notes:
        say(note)
    if asked.csv_file:
        write_csv(asked.csv_file, answered(results, asked, people=False))
    if asked.csv_file != "-":
        write(asked, found, summary)


def _chosen(results: Sequence[RunRecord], asked: Asked) -> Sequence[RunRecord]:
    """Keep the runs that are asked for."""
    kept = chosen(results, asked.question) if asked.where else results
    if not kept:
        raise RunxError(f"--where {asked.where}: no run is like that; sumx --fields lists what is")
    return kept


def _named(results: Sequence[RunRecord], word: str) -> RunRecord:
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
    reader = Reader(asked.question.measures, warn, details=asked.question.details, hands=hands())
    records = [record for each in found for record in read_experiment(each, reader)]
    if not records:
        raise RunxError(_nothing(found))
    kept = _chosen(_of_launch(records, asked.launch) if asked.launch else records, asked)
    write_report(file, found, kept, asked.question, time.time(), warn)
    say(f"{file}: {len(kept)} runs; open it in any browser")


def _read(found: Sequence[ExperimentDir], asked: Asked) -> Iterator[RunRecord]:
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
        runs = list(read_experiment(experiment, reader))
        yield from _of_launch(runs, asked.launch) if asked.launch else runs


def _of_launch(runs: Sequence[RunRecord], launch: str) -> list[RunRecord]:
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


def _nothing(found: Sequence[ExperimentDir]) -> str:
    names = ", ".join(str(experiment.path) for experiment in found)
    return f"{names}: no runs here; a run's directory holds run.json, hparams.json or metrics.csv"
