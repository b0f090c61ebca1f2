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
from runx.reading.read import Reader, read_runs
from runx.reading.select import runs_of


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
    runs = runs_of(words, logroot_of(logroot, config), Path.cwd(), where, warn)
    found = [
        description(one, time.time(), warn)
        for run in runs
        for one in read_runs([run], run.path.parent.name, Reader(warn=warn))
    ]
    if not found:
        raise RunxError(f"{' '.join(words)}: no run that can be read; see the warnings above")
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo("\n\n".join("\n".join(lines(one)) for one in found))
