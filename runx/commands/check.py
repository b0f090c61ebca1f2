"""``runx check``: experiments read and planned, and nothing launched."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runx.commands.completing import yaml_files
from runx.errors import RunxError
from runx.settings.load import Request, load
from runx.terminal.manners import say
from runx.types import Run


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE...",
    shell_complete=yaml_files,
)
@click.option("--max-runs", type=click.IntRange(1), help="Refuse more runs.")
def command(files: tuple[Path, ...], max_runs: int | None) -> int:
    """Read and plan every FILE as a launch would, with each run's command; launch nothing.

    \b
    runx check sweeps/*.yml
    """
    status = 0
    for file in files:
        try:
            count = checked(file, max_runs)
        except RunxError as error:
            say(f"runx: {error}")
            status = max(status, error.status)
        else:
            click.echo(f"{file}: {count:,} run{'s' * (count != 1)}")
    return status


def checked(file: Path, max_runs: int | None) -> int:
    """Go as far with an experiment as can be without making anything; count its runs."""
    from datetime import datetime

    from runx.launching.preview import check_first, lines
    from runx.plans.plan import MAX_RUNS, namer, plan, sweep_of
    from runx.sweeps.naming import preview_slugs

    experiment = load(Request(file, Path.cwd(), dict(os.environ)))
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    sweep = sweep_of(experiment, max_runs or MAX_RUNS)
    new_name = namer(experiment, sweep, datetime.now().astimezone(), preview_slugs())
    runs: list[Run] = list(plan(experiment, sweep, new_name))
    if runs:
        check_first(experiment, runs)
    for _ in lines(experiment, runs):
        pass  # each can be written
    return len(runs)
