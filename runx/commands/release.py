"""``runx release``: Let held runs of EXPERIMENT, or those named, start."""

from __future__ import annotations

from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.reading.selecting import select
from runx.schedulers.asking import words
from runx.schedulers.stopping import by_farms
from runx.terminal.manners import say


@click.command()
@click.argument(
    "names", nargs=-1, required=True, metavar="EXPERIMENT [RUN]...", shell_complete=runs
)
@lookup_options
def command(names: tuple[str, ...], logroot: str | None, config: Path | None) -> int:
    """Let held runs of EXPERIMENT, or those named, start.

    \b
    runx release sweep
    runx release sweep wallaby
    """
    runs = select(names, logroot_of(logroot, config), Path.cwd())
    count = by_farms(runs, "release", words(runs, warn), warn)
    say(f"{count} of {len(runs)} runs released")
    return 0
