"""``runx cancel``: End the runs of EXPERIMENT, or those named, that wait or run."""

from __future__ import annotations

from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.manners import say
from runx.selecting import select
from runx.stopping import cancel


@click.command()
@click.argument(
    "names", nargs=-1, required=True, metavar="EXPERIMENT [RUN]...", shell_complete=runs
)
@lookup_options
def command(names: tuple[str, ...], logroot: str | None, config: Path | None) -> int:
    """End the runs of EXPERIMENT, or those named, that wait or run.

    \b
    runx cancel sweep
    runx cancel sweep wallaby
    """
    runs = select(names, logroot_of(logroot, config), Path.cwd())
    count = cancel(runs, say, warn)
    say(f"{count} of {len(runs)} runs cancelled")
    return 0
