"""What sumx prints and writes: tables, pictures, fields, differences, the report."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from runx.analysis.cells import DIGITS
from runx.analysis.columns import check_ignored
from runx.analysis.question import TableOptions
from runx.analysis.table import Table
from runx.api.tables import (
    difference,
    experiments_of,
    fields_of,
    no_runs,
    read,
    remarks,
    selected,
    table,
    write_page,
)
from runx.cli.console import data, disable_gc, quit_within, say, warn
from runx.errors import RunxError
from runx.export.formats import format_named, format_table
from runx.export.table import aligned, fitted, render_bold
from runx.printable import printable
from runx.rundir.experiments import launch_notes
from runx.rundir.files import write_whole
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord


def show(options: TableOptions) -> None:
    """Print or write what sumx's options ask for, repeatedly with ``--watch``."""
    format_named(options.format)  # an unknown one is refused before anything is read
    if options.html_file:
        count = write_page(experiments_of(options, warn), options, Path(options.html_file), warn)
        say(f"{options.html_file}: {count} runs; open it in any browser")
        return
    while options.watch is not None:
        click.clear()
        _show_once(options)
        if quit_within(max(options.watch, 0.1)):
            return
    disable_gc()
    _show_once(options)


def _show_once(options: TableOptions) -> None:
    dirs = experiments_of(options, warn)
    with_attempts = options.format in ("json", "jsonl")
    runs = list(read(dirs, options, say, warn, with_attempts))
    if not runs:
        raise no_runs(dirs, options.label)
    if options.fields:
        data(listing(runs))
        return
    if options.diff:
        data("\n".join(difference(runs, *options.diff)))
        return
    check_ignored(runs, options.ignore)
    for remark in remarks(runs, options):
        say(remark)
    _show_runs(*selected(runs, options), dirs)


def _show_runs(
    runs: Sequence[RunRecord], options: TableOptions, dirs: Sequence[ExperimentDir]
) -> None:
    """Print runs as a picture or a table; write the files of ``--csv`` and ``-o``."""
    if options.plot:
        from runx.export.plots import plot_runs

        data(plot_runs(options.plot, runs, options))
        return
    summary = table(runs, options, format_named(options.format).people)
    for note in summary.notes:
        say(note)
    if options.csv_file:
        _write_csv(options.csv_file, table(runs, options, people=False))
    if options.csv_file != "-":
        _write(options, dirs, summary)


def listing(runs: Sequence[RunRecord]) -> str:
    """Return the fields to show, sort and select by, with examples and files, as text."""
    heads = ("name", "what", "type", "example", "file")
    return aligned(heads, fields_of(runs), (False,) * len(heads))


def _write(options: TableOptions, dirs: Sequence[ExperimentDir], summary: Table) -> None:
    """Write the table to a file, or print it."""
    digits = options.precision or DIGITS
    if options.output or options.format == "parquet":
        _to_file(options, format_named(options.format).render(summary, digits))
    elif options.format != "table":
        data(format_table(options.format, summary, digits), exact=True)
    else:
        lines = [line for experiment in dirs for line in launch_notes(experiment, warn)]
        _print(options, lines, summary, digits)


def _print(options: TableOptions, lines: Sequence[str], summary: Table, digits: int) -> None:
    """Print a table below some lines; on a terminal only the columns that fit."""
    head = "".join(f"{line}\n" for line in lines) + ("\n" if lines else "")
    if not sys.stdout.isatty():
        data(head + format_table("table", summary, digits))
        return
    import shutil

    size = shutil.get_terminal_size()
    summary, dropped = fitted(summary, size.columns, digits)
    if dropped:
        say(f"left out to fit the terminal: {', '.join(dropped)}; --columns chooses")
    lower = [column.heading for column in summary.columns if options.question.is_lower(column.name)]
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    text = format_table("table", summary, digits) if plain else render_bold(summary, digits, lower)
    is_long = text.count("\n") + 2 > size.lines and options.watch is None and not plain
    (click.echo_via_pager if is_long else click.echo)(printable(head) + text)


def _to_file(options: TableOptions, content: str | bytes) -> None:
    if not options.output:
        raise RunxError(f"--format {options.format} is not text; say where with -o FILE")
    file = Path(options.output)
    try:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            write_whole(file, content + "\n")
    except OSError as error:
        raise RunxError(f"-o {file}: can't be written: {error.strerror}") from error


def _write_csv(name: str, summary: Table) -> None:
    """Write a CSV file; a name without a suffix gets .csv, as with NVIDIA's runx."""
    text = format_table("csv", summary)
    if name == "-":
        data(text, exact=True)
        return
    file = Path(name if Path(name).suffix else f"{name}.csv")
    try:
        write_whole(file, text + "\n")
    except OSError as error:
        raise RunxError(f"--csv {file}: can't be written: {error.strerror}") from error
