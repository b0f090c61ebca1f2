"""``runx gc``: remove the checkpoints of all but the best runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from runx.commands.completing import experiments
from runx.commands.lookup import logroot_of, lookup_options, warn
from runx.commands.rm import megabytes
from runx.disk.joining import remove_file
from runx.errors import RunxError
from runx.formats.table import aligned
from runx.metrics.better import direction
from runx.reading.read import Reader
from runx.reading.remove import Thinned, thinned
from runx.reading.select import records_of
from runx.tables.question import Question
from runx.terminal.manners import say


@click.command()
@click.argument("experiment", shell_complete=experiments)
@lookup_options
@click.option("--keep-top", type=click.IntRange(0), required=True, metavar="K", help="How many.")
@click.option("--by", required=True, metavar="METRIC", help="What makes a run one of the best.")
@click.option("--higher", is_flag=True, help="More of METRIC is better.")
@click.option("--lower", is_flag=True, help="Less of METRIC is better.")
@click.option("--delete", is_flag=True, help="Really remove them, instead of showing which.")
def command(
    experiment: str,
    logroot: str | None,
    config: Path | None,
    keep_top: int,
    by: str,
    higher: bool,
    lower: bool,
    delete: bool,
) -> int:
    """Remove the checkpoints of the runs of EXPERIMENT that are done, but for the best K.

    Metrics and everything else of the runs stay. Runs that are not done keep their checkpoints.

    \b
    runx gc sweep --keep-top 5 --by accuracy
    runx gc sweep --keep-top 5 --by accuracy --delete
    """
    metric = Question().deciding(by).metric
    if lower is higher and (lower or direction(metric) is None):
        raise RunxError(f"--by {by}: say --higher or --lower: which is better?")
    names = (metric,)
    question = Question((by,), lower=names if lower else (), higher=names if higher else ())
    reader = Reader(measures=question.measures, warn=warn)
    runs = records_of((experiment,), logroot_of(logroot, config), Path.cwd(), reader)
    going = thinned(runs, keep_top, question)
    if not going:
        say(f"nothing to remove: no run that is done and behind the best {keep_top} has any")
        return 0
    _show(going, by)
    if not delete:
        say("nothing is removed; --delete does it")
        return 0
    for one in going:
        for checkpoint in one.checkpoints:
            remove_file(checkpoint)
    say(f"the checkpoints of {len(going)} runs removed")
    return 0


def _show(going: Sequence[Thinned], by: str) -> None:
    sizes = [_weight(one.checkpoints) for one in going]
    rows = [
        (one.run.name, f"{one.metric:.6g}", str(len(one.checkpoints)), megabytes(size))
        for one, size in zip(going, sizes, strict=True)
    ]
    rows.append((f"{len(going)} in all", "", "", megabytes(sum(sizes))))
    click.echo(aligned(("run", by, "checkpoints", "MB"), rows, (False, True, True, True)))


def _weight(files: Sequence[Path]) -> int:
    """Give the bytes of files of which some are two names of one."""
    return sum({one.stat().st_ino: one.stat().st_blocks * 512 for one in files}.values())
