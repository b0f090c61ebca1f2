"""``runx cancel``: End the runs of EXPERIMENT, or those named, that wait or run."""

from __future__ import annotations

from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.errors import RunxError
from runx.launching.control import cancel
from runx.reading.select import runs_of
from runx.terminal.manners import say


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@click.option("--where", default="", metavar="EXPR", help="Those for which this holds.")
def command(names: tuple[str, ...], logroot: str | None, config: Path | None, where: str) -> int:
    """End the runs of EXPERIMENT, or those named, that wait or run.

    \b
    runx cancel sweep
    runx cancel sweep wallaby
    runx cancel sweep --where "lr > 0.1"
    """
    if not (names or where):
        raise RunxError("name a run or an experiment, or say --where EXPR; see runx status")
    runs = runs_of(names, logroot_of(logroot, config), Path.cwd(), where, warn)
    count = cancel(runs, say, warn)
    say(f"{count} of {len(runs)} runs cancelled")
    return 0
