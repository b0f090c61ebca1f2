"""``runx logs``: what runs have printed, and go on printing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.disk.facts import clock, read_attempts
from runx.disk.joining import elsewhere, join
from runx.disk.output import Follower, start_of_last
from runx.errors import RunxError
from runx.reading.select import runs_of
from runx.rundir import RunDir
from runx.states.state import state

_PAUSE = 0.2


@click.command()
@click.argument("words", nargs=-1, metavar="RUN...", shell_complete=runs)
@lookup_options
@click.option("--where", default="", metavar="EXPR", help="Those for which this holds.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the runs have ended.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last LINES of each.")
def command(
    words: tuple[str, ...],
    logroot: str | None,
    config: Path | None,
    where: str,
    follow: bool,
    lines: int | None,
) -> None:
    """Print the output of RUN, or of several, each line with its run's name before it.

    A run is named by its name, a part of it, its id or a path; an experiment's name stands for all
    of its runs.

    \b
    runx logs wallaby -f
    runx logs sweep -n 3
    """
    if not (words or where):
        raise RunxError("name a run, or --where EXPR; see runx status")
    runs = runs_of(words, logroot_of(logroot, config), Path.cwd(), where, warn)
    for run in runs:
        if elsewhere(run):
            join(run, warn)
    if not follow and not any(run.output.exists() for run in runs):
        names = ", ".join(run.path.name for run in runs) or " ".join(words)
        raise RunxError(f"{names}: no output yet; see runx status {' '.join(words)}")
    begun = [0 if lines is None else start_of_last(run.output, lines) for run in runs]
    logs = [Follower(run.output, place) for run, place in zip(runs, begun, strict=True)]
    while follow and any(_alive(run) for run in runs):
        _print(runs, logs, last=False)
        time.sleep(_PAUSE)
    _print(runs, logs, last=True)


def _alive(run: RunDir) -> bool:
    return state(read_attempts(run, clock(run.path.parent), warn)).alive


def _print(runs: Sequence[RunDir], logs: Sequence[Follower], last: bool) -> None:
    """Print what has been added, in the order of the runs."""
    widest = max(len(run.path.name) for run in runs)
    for run, log in zip(runs, logs, strict=True):
        before = f"{run.path.name:{widest}} | " if len(runs) > 1 else ""
        for line in log.more(last):
            click.echo(f"{before}{line}")
