"""What ``runx hold`` and ``runx release`` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.reading.select import select
from runx.rundir import RunDir
from runx.terminal.manners import say

Change = Callable[[Sequence[RunDir], Callable[[str], None]], int]


def farms_command(verb: str, change: Change, done: str, text: str) -> click.Command:
    """Make a command that has the farms do something to waiting runs; ``text`` is its help."""

    @click.command(verb, help=text)
    @click.argument(
        "names", nargs=-1, required=True, metavar="EXPERIMENT [RUN]...", shell_complete=runs
    )
    @lookup_options
    def command(names: tuple[str, ...], logroot: str | None, config: Path | None) -> int:
        chosen = select(names, logroot_of(logroot, config), Path.cwd())
        count = change(chosen, warn)
        say(f"{count} of {len(chosen)} runs {done}")
        return 0

    return command
