"""``runx rm``: remove runs that have ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from runx.commands.completing import runs
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.disk.facts import clock, read_attempts
from runx.disk.joining import elsewhere
from runx.errors import RunxError
from runx.formats.table import aligned
from runx.reading.remove import Removal, removals, remove, weight
from runx.reading.select import runs_of
from runx.rundir import RunDir
from runx.schedulers.query import query, submitted_jobs
from runx.terminal.manners import say


@click.command()
@click.argument("words", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@click.option("--where", default="", metavar="EXPR", help="Those for which this holds.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def command(
    words: tuple[str, ...], logroot: str | None, config: Path | None, where: str, yes: bool
) -> int:
    """Remove the directories of RUN, or of all runs of EXPERIMENT, that have ended.

    Code that was frozen for them goes when no other run was made from it.

    \b
    runx rm wallaby
    runx rm sweep --where "state == 'failed'"
    """
    if not (words or where):
        raise RunxError("name a run or an experiment, or say --where EXPR; see runx status")
    runs = runs_of(words, logroot_of(logroot, config), Path.cwd(), where, warn)
    attempts = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    said = query(submitted_jobs(attempts.items(), warn), warn)
    wanted = list(removals(attempts, said))
    going = [one for one in wanted if not one.why_not]
    for one in wanted:
        if one.why_not:
            say(f"{one.run.path.name}: stays: {one.why_not}")
    if not going:
        raise RunxError("nothing to remove")
    _show(going)
    if not yes:
        _ask(len(going))
    count = remove([one.run for one in going], say, said)
    say(f"{count} of {len(wanted)} runs removed")
    return 0


def _show(going: Sequence[Removal]) -> None:
    sizes = [_size(one.run) for one in going]
    rows = [
        (f"{one.run.path.parent.name}/{one.run.path.name}", str(one.state), megabytes(size))
        for one, size in zip(going, sizes, strict=True)
    ]
    rows.append((f"{len(going)} in all", "", megabytes(sum(sizes))))
    click.echo(aligned(("run", "state", "MB"), rows, (False, False, True)))


def _size(run: RunDir) -> int:
    """Give the bytes of a run, with what its job wrote elsewhere."""
    place = elsewhere(run)
    return weight(run.path) + (weight(place) if place else 0)


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise RunxError("nothing is removed; say --yes where nobody can be asked")
    click.confirm(f"remove {count} run{'s' * (count != 1)}?", abort=True, err=True)


def megabytes(size: int) -> str:
    """Write a size for people.

    >>> megabytes(2_500_000)
    '2.5'
    """
    return f"{size / 1e6:.1f}"
