"""The commands that change runs: ``runx cancel``, ``hold``, ``release``, ``rm`` and ``gc``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runx.cli.completion import experiments, runs
from runx.cli.console import data, say
from runx.cli.options import looked_up, lookup_options, step_option, where_option
from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.analysis.remove import Thinned
    from runx.api.control import Count, Removals


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@where_option
@step_option
def cancel(
    names: tuple[str, ...], logroot: str | None, config: Path | None, where: str, step: str
) -> None:
    """End the runs of EXPERIMENT, or those named, that wait or run.

    \b
    runx cancel sweep
    runx cancel sweep wallaby
    runx cancel sweep --where "lr > 0.1"
    runx cancel sweep --step eval
    """
    from runx.api.control import cancel

    lookup = looked_up(logroot, config)
    _say(cancel(*names, where=where, step=step, say=say, **lookup), "cancelled")


@click.command()
@click.argument(
    "names", nargs=-1, required=True, metavar="EXPERIMENT [RUN]...", shell_complete=runs
)
@lookup_options
@step_option
def hold(names: tuple[str, ...], logroot: str | None, config: Path | None, step: str) -> None:
    """Keep waiting runs of EXPERIMENT, or those named, from starting.

    \b
    runx hold sweep
    runx hold sweep wallaby
    runx hold sweep --step eval
    """
    from runx.api.control import hold

    _say(hold(*names, step=step, **looked_up(logroot, config)), "held")


@click.command()
@click.argument(
    "names", nargs=-1, required=True, metavar="EXPERIMENT [RUN]...", shell_complete=runs
)
@lookup_options
@step_option
def release(names: tuple[str, ...], logroot: str | None, config: Path | None, step: str) -> None:
    """Let held runs of EXPERIMENT, or those named, start.

    \b
    runx release sweep
    runx release sweep wallaby
    runx release sweep --step eval
    """
    from runx.api.control import release

    _say(release(*names, step=step, **looked_up(logroot, config)), "released")


def _say(count: Count, done: str) -> None:
    """Print how many runs were changed, and why others were not; exit with 1 if there are any."""
    for line in count.lines(done):
        say(line)
    if count.left:
        sys.exit(1)


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT] [RUN]...", shell_complete=runs)
@lookup_options
@where_option
@click.option("--yes", is_flag=True, help="Don't ask.")
def rm(
    names: tuple[str, ...], logroot: str | None, config: Path | None, where: str, yes: bool
) -> None:
    """Remove the directories of RUN, or of all runs of EXPERIMENT, that have ended.

    Code that was frozen for them goes when no other run was made from it.

    \b
    runx rm wallaby
    runx rm sweep --where "state == 'failed'"
    """
    from runx.api.control import Count, removal

    removals = removal(*names, where=where, **looked_up(logroot, config))
    for staying in removals.staying:
        say(f"{staying.run.path.name}: stays: {staying.why_not}")
    if not removals.removable:
        raise RunxError("nothing to remove")
    _show_runs(removals)
    if not yes:
        _confirm(len(removals.removable))
    named = len(removals.removable) + len(removals.staying)
    _say(Count(removals.carry_out(say), named), "removed")


def _show_runs(removals: Removals) -> None:
    from runx.export.table import aligned

    rows = []
    total = 0
    for removal in removals.removable:
        path, size = removal.run.path, removals.size(removal.run)
        rows.append((f"{path.parent.name}/{path.name}", str(removal.state), megabytes(size)))
        total += size
    rows.append((f"{len(removals.removable)} in all", "", megabytes(total)))
    data(aligned(("run", "state", "MB"), rows, (False, False, True)))


def _confirm(count: int) -> None:
    if not sys.stdin.isatty():
        raise RunxError("nothing is removed; say --yes where nobody can be asked")
    click.confirm(f"remove {count} run{'s' * (count != 1)}?", abort=True, err=True)


@click.command()
@click.argument("experiment", shell_complete=experiments)
@lookup_options
@click.option("--keep-top", type=click.IntRange(0), required=True, metavar="K", help="How many.")
@click.option("--by", required=True, metavar="METRIC", help="What makes a run one of the best.")
@click.option("--higher", is_flag=True, help="More of METRIC is better.")
@click.option("--lower", is_flag=True, help="Less of METRIC is better.")
@click.option("--delete", is_flag=True, help="Really remove them, instead of showing which.")
def gc(
    experiment: str,
    logroot: str | None,
    config: Path | None,
    keep_top: int,
    by: str,
    higher: bool,
    lower: bool,
    delete: bool,
) -> None:
    """Remove the checkpoints of the runs of EXPERIMENT that are done, but for the best K.

    Metrics and everything else of the runs stay. Runs that are not done keep their checkpoints.

    \b
    runx gc sweep --keep-top 5 --by accuracy
    runx gc sweep --keep-top 5 --by accuracy --delete
    """
    from runx.api.control import delete_checkpoints, thin

    lookup = looked_up(logroot, config)
    runs = thin(experiment, keep_top, by, higher=higher, lower=lower, **lookup)
    if not runs:
        say(f"nothing to remove: no run that is done and behind the best {keep_top} has any")
        return
    _show_checkpoints(runs, by)
    if not delete:
        say("nothing is removed; --delete does it")
        return
    delete_checkpoints(runs)
    say(f"the checkpoints of {len(runs)} run{'s' * (len(runs) != 1)} removed")


def _show_checkpoints(runs: Sequence[Thinned], by: str) -> None:
    from runx.export.table import aligned

    sizes = [_weight(run.checkpoints) for run in runs]
    rows = [
        (run.run.name, f"{run.metric:.6g}", str(len(run.checkpoints)), megabytes(size))
        for run, size in zip(runs, sizes, strict=True)
    ]
    rows.append((f"{len(runs)} in all", "", "", megabytes(sum(sizes))))
    data(aligned(("run", by, "checkpoints", "MB"), rows, (False, True, True, True)))


def _weight(files: Sequence[Path]) -> int:
    """Return the bytes of files on disk, those with several names counted once."""
    return sum({file.stat().st_ino: file.stat().st_blocks * 512 for file in files}.values())


def megabytes(size: int) -> str:
    """Return a size in MB, as text.

    >>> megabytes(2_500_000)
    '2.5'
    """
    return f"{size / 1e6:.1f}"
