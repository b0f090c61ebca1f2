"""The command ``sumx``: a table of the runs of experiments."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from runx.cli.completion import columns as complete_columns
from runx.cli.completion import experiments as complete_experiments
from runx.cli.completion import formats as complete_formats
from runx.cli.completion import statistics as complete_statistics
from runx.cli.console import Documented, run_command
from runx.cli.options import Command, label_option, lookup_options
from runx.export.formats import FORMATS


def _names(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
    """Return the names that commas separate."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _epoch(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """Return the value of --at, epoch=10 or 10 as the number."""
    if text is None or text in ("min", "last"):
        return text
    number = text.removeprefix("epoch=")
    try:
        float(number)
    except ValueError:
        raise click.BadParameter(f"{text}: write epoch=10, or min") from None
    return number


def _axes(context: click.Context, option: click.Parameter, text: str) -> str:
    """Return the value of --log: x, y or both."""
    if not {*text} <= {*"xy"}:
        raise click.BadParameter(f"{text}: write x, y or xy")
    return text


column_option = partial(click.option, shell_complete=complete_columns)


def names_option(*flags: str, help: str) -> Callable[[Command], Command]:
    """Return an option whose value is names of columns with commas between them."""
    return column_option(*flags, default="", callback=_names, metavar="A,B", help=help)


@click.command(cls=Documented, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "experiments",
    nargs=-1,
    required=True,
    metavar="EXPERIMENT...",
    shell_complete=complete_experiments,
)
@names_option("-s", "--sortwith", help="Best of these metrics first.")
@names_option("--lower", help="Less of these is better.")
@names_option("--higher", help="More of these is better.")
@names_option("--ignore", help="Leave hyperparameters and metrics out.")
@names_option(
    "--columns", help="Show these: hyperparameters, metrics, acc:best, acc@10, train.loss, ..."
)
@click.option("--all-hparams", is_flag=True, help="Also those that don't differ.")
@click.option("--fields", is_flag=True, help="List what there is to show, sort and select by.")
@click.option("--where", default="", metavar="EXPR", help='Only runs like "lr < 0.1".')
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="Only the first K.")
@click.option("--at", callback=_epoch, metavar="EPOCH", help="Metrics at epoch=10, or min: of all.")
@names_option("--over", help="One row for all values of these (seed): mean and deviation.")
@names_option("--by", help="One row for each combination of these.")
@click.option(
    "--agg",
    default="",
    callback=_names,
    metavar="A,B",
    shell_complete=complete_statistics,
    help="With --over, --by: mean,std,sem,min,max,median,ci95,n.",
)
@column_option("--best-per", default="", metavar="A", help="Only the best run for each value of A.")
@click.option("--pareto", is_flag=True, help="Only what no other beats in all of --sortwith.")
@column_option("--importance", default="", metavar="METRIC", help="Which hyperparameter moves it.")
@column_option("--pivot", nargs=2, metavar="A B", help="Means by two hyperparameters.")
@column_option("--values", default="", metavar="METRIC", help="With --pivot: of what.")
@click.option("--compare", nargs=2, metavar="A=1 A=2", help="Test whether two settings differ.")
@column_option(
    "--ablation", default="", metavar="METRIC", help="What each change of RUNX.ABLATE does."
)
@click.option("--diff", nargs=2, metavar="RUN RUN", help="What differs between two runs.")
@click.option("--plot", default="", metavar="WHAT", help='Draw acc, "lr vs acc" or parallel.')
@click.option(
    "--log", default="", callback=_axes, metavar="AXES", help="With --plot: logarithmic x, y or xy."
)
@click.option("--smooth", type=click.FloatRange(0, 0.999), default=0.0, help="With --plot: 0 to 1.")
@click.option("--launch", default="", metavar="LAUNCH", help="One launch: last, or its time.")
@label_option
@click.option(
    "--format",
    "form",
    default="table",
    metavar="FORMAT",
    shell_complete=complete_formats,
    help=f"How to write it: {', '.join(FORMATS)}.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of the terminal.")
@click.option("--precision", type=click.IntRange(1, 17), help="Digits that people see of a metric.")
@click.option("--csv", "csv_file", metavar="FILE", help="Also write FILE, complete; - is stdout.")
@click.option("--html", "html_file", metavar="FILE", help="Write a page with everything to see.")
@click.option("--json", "as_json", is_flag=True, help="Everything known of each run.")
@click.option("--watch", type=float, metavar="SECONDS", help="Show it anew every so often.")
@lookup_options
def command(
    experiments: tuple[str, ...], logroot: str | None, config: Path | None, **options: Any
) -> None:
    """Make a table of the runs of EXPERIMENT: a name under LOGROOT, a pattern or a path.

    \b
    sumx sweep --sortwith accuracy
    sumx sweep --over seed --where "lr < 0.1"
    sumx sweep other-sweep --columns lr,acc:best,state --format markdown
    sumx sweep --html report.html
    """
    from runx.analysis.question import TableOptions
    from runx.api.project import logroot_of
    from runx.cli.tables import show

    folder = logroot_of(logroot, config)
    show(TableOptions(experiments=experiments, logroot=folder, cwd=Path.cwd(), **options))


def main() -> None:
    """Run the command ``sumx`` with the arguments of this process."""
    if "_SUMX_COMPLETE" in os.environ:
        from runx.cli.shells import register

        register()
    run_command(command, "sumx", sys.argv[1:])


if __name__ == "__main__":
    main()
