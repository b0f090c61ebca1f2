"""What sumx prints: the table that is asked for, where it is to go, or what else answers it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from runx.analysis.cells import DIGITS
from runx.analysis.question import Asked
from runx.analysis.table import Table
from runx.api.tables import (
    difference,
    experiments_of,
    fields_of,
    nothing,
    read,
    remarks,
    selected,
    table,
    write_page,
)
from runx.cli.console import look_once, say, warn
from runx.errors import RunxError
from runx.export.formats import format_named, written
from runx.export.table import aligned, fitted, render_bold
from runx.rundir.experiments import said
from runx.rundir.files import write_whole
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord


def answer(asked: Asked) -> None:
    """Print the answer, again and again where it is watched."""
    format_named(asked.format)
    if asked.html_file:
        count = write_page(experiments_of(asked), asked, Path(asked.html_file), warn)
        say(f"{asked.html_file}: {count} runs; open it in any browser")
        return
    while asked.watch is not None:
        click.clear()
        _once(asked)
        time.sleep(max(asked.watch, 0.1))
    look_once()
    _once(asked)


def _once(asked: Asked) -> None:
    found = experiments_of(asked)
    results = list(read(found, asked, say, warn))
    if not results:
        raise nothing(found)
    if asked.fields:
        click.echo(listing(results))
        return
    if asked.diff:
        click.echo("\n".join(difference(results, *asked.diff)))
        return
    for remark in remarks(results, asked):
        say(remark)
    _show_runs(selected(results, asked), replace(asked, where=""), found)


def _show_runs(results: Sequence[RunRecord], asked: Asked, found: Sequence[ExperimentDir]) -> None:
    """Show runs as a picture or as a table, and write the files that are asked for besides."""
    if asked.plot:
        from runx.export.plots import plotted

        click.echo(plotted(asked.plot, results, asked))
        return
    summary = table(results, asked, format_named(asked.format).people)
    for note in summary.notes:
        say(note)
    if asked.csv_file:
        _write_csv(asked.csv_file, table(results, asked, people=False))
    if asked.csv_file != "-":
        _write(asked, found, summary)


def listing(results: Sequence[RunRecord]) -> str:
    """List what there is to show, sort and select by, with a type and an example of each."""
    return aligned(("name", "what", "type", "example"), fields_of(results), (False,) * 4)


def _write(asked: Asked, found: Sequence[ExperimentDir], summary: Table) -> None:
    """Write the table where it is to go, on a terminal as it fits there."""
    digits = asked.precision or DIGITS
    if asked.output or asked.format == "parquet":
        _to_file(asked, format_named(asked.format).render(summary, digits))
    elif asked.format != "table":
        click.echo(written(asked.format, summary, digits))
    else:
        _show(asked, [line for one in found for line in said(one, warn)], summary, digits)


def _show(asked: Asked, lines: Sequence[str], summary: Table, digits: int) -> None:
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


def _write_csv(name: str, summary: Table) -> None:
    """Write a CSV file; a name without an ending gets one, as with the original."""
    text = written("csv", summary)
    if name == "-":
        click.echo(text)
        return
    file = Path(name if Path(name).suffix else f"{name}.csv")
    try:
        write_whole(file, text + "\n")
    except OSError as error:
        raise RunxError(f"--csv {file}: can't be written: {error.strerror}") from error
