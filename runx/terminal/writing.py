"""Where a table goes: a terminal as it fits there, its pager, or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from runx.commands.lookup import warn
from runx.disk.experiments import said
from runx.errors import RunxError
from runx.files import write_whole
from runx.formats import format_named, written
from runx.formats.cells import DIGITS
from runx.formats.table import fitted, render_bold
from runx.rundir import ExperimentDir
from runx.tables.asked import Asked
from runx.tables.summary import Summary
from runx.terminal.manners import say


def write(asked: Asked, found: Sequence[ExperimentDir], summary: Summary) -> None:
    """Write the table where it is to go, on a terminal as it fits there."""
    digits = asked.precision or DIGITS
    if asked.output or asked.format == "parquet":
        _to_file(asked, format_named(asked.format).render(summary, digits))
    elif asked.format != "table":
        click.echo(written(asked.format, summary, digits))
    else:
        _show(asked, [line for one in found for line in said(one, warn)], summary, digits)


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


def write_csv(name: str, summary: Summary) -> None:
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
