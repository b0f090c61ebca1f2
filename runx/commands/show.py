"""``runx show``: everything about one run."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.errors import RunxError
from runx.reading.overview import description, lines
from runx.reading.read import Reader
from runx.reading.select import records_of


@click.command()
@click.argument("words", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@click.option("--where", default="", metavar="EXPR", help="Those for which this holds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    words: tuple[str, ...], logroot: str | None, config: Path | None, where: str, as_json: bool
) -> None:
    """Show what RUN is, how it stands, where everything of it lies and how to do it again.

    \b
    runx show wallaby
    """
    if not (words or where):
        raise RunxError("name a run, or --where EXPR; see runx status")
    root = logroot_of(logroot, config)
    records = records_of(words, root, Path.cwd(), Reader(warn=warn), where)
    if where and not records:
        raise RunxError(f"--where {where}: no run is like that")
    found = [description(record, time.time(), warn) for record in records]
    if not found:
        raise RunxError(f"{' '.join(words)}: no run that can be read; see the warnings above")
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo("\n\n".join("\n".join(lines(one)) for one in found))
