"""The commands for a project: runx check, config, init, import, schema and watch."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runx.cli.completion import experiments, yaml_files
from runx.cli.console import data, echo, say, warn
from runx.cli.options import looked_up, lookup_options, note_executed, request, settings_options
from runx.cli.source import text_of
from runx.errors import RunxError
from runx.printable import one_line

if TYPE_CHECKING:
    from runx.api.watch import Served


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
def check(files: tuple[Path, ...], max_runs: int | None) -> int:
    """Read and plan every FILE as a launch would, with each run's command; launch nothing.

    \b
    runx check sweeps/*.yml
    """
    status = 0
    for file in files:
        try:
            count = _check(file, max_runs)
        except RunxError as error:
            say(f"runx: {error}")
            status = max(status, error.status)
        else:
            data(f"{file}: {count:,} run{'s' * (count != 1)}")
    return status


def _check(file: Path, max_runs: int | None) -> int:
    """Print warnings; return the number of runs."""
    from runx.api.experiment import Experiment
    from runx.config.request import Request
    from runx.launching.plan import MAX_RUNS

    source = text_of(file)
    request = Request(source.file, Path.cwd(), dict(os.environ), text=source.text)
    experiment = Experiment.of(request)
    note_executed(experiment.settings)
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    return experiment.check(max_runs or MAX_RUNS, say)


@click.command()
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(as_json: bool, **flags: Any) -> None:
    """Show every setting of FILE, its value, and the file or flag that it comes from."""
    from runx.api.experiment import Experiment

    asked = request(here=False, **flags)._replace(executes=False)
    settings = Experiment.of(asked).config()
    rows = [
        (name, setting.text, setting.origin) if setting else (name, "", "not set")
        for name, setting in settings.items()
    ]
    if as_json:
        data(
            json.dumps({name: {"value": v, "from": o} for name, v, o in rows}, indent=2), exact=True
        )
        return
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        data(f"{name:{widths[0]}}  {value:{min(widths[1], 60)}}  {origin}".rstrip())


@click.command()
@click.option("--force", is_flag=True, help="Write over a .runx that is there.")
def init(force: bool) -> None:
    """Write a commented .runx into this folder."""
    from runx.api.project import init

    data(str(init(force=force)))


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--settings", is_flag=True, help="Print what is for .runx, not the experiment.")
def import_(file: Path, settings: bool) -> None:
    """Print a sweep or script of another tool as an experiment.

    FILE is a sweep of W&B, Hydra, MLXP or SEML, a job script, or a shell script.

    \b
    runx import sweep.yaml > sweep.yml
    runx import train.sbatch --settings >> .runx
    """
    from runx.api.project import convert

    found = convert(file)
    for line in found.lost:
        say(f"note: not carried over: {one_line(line)}")
    for line in found.warnings:
        warn(line)
    if settings and not found.runx_file:
        raise RunxError(f"{file}: there is nothing in it for .runx; leave --settings out")
    if found.runx_file and not settings:
        say(f"note: there is more for .runx: runx import {file} --settings")
    data((found.runx_file if settings else found.experiment).rstrip("\n"), exact=True)


@click.command()
@click.argument(
    "of",
    type=click.Choice(("experiment", "runx", "status")),
    default="experiment",
    metavar="[experiment|runx|status]",
)
def schema(of: str) -> None:
    """Print the JSON Schema of an experiment, of a .runx file, or of what --json prints of runs.

    \b
    runx schema > experiment.schema.json
    runx schema runx > runx.settings.schema.json
    """
    from runx.api.project import schema

    data(json.dumps(schema(of), indent=2), exact=True)


@click.command()
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...", shell_complete=experiments)
@click.option("-s", "--sortwith", default="", metavar="METRIC", help="What to rank the runs by.")
@click.option("--port", type=click.IntRange(0, 65535), help="Serve on this port, rather than 8421.")
@click.option("--bind", default="127.0.0.1", metavar="ADDRESS", help="Serve beyond this machine.")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in a browser.")
@lookup_options
def watch(
    experiments: tuple[str, ...],
    sortwith: str,
    port: int | None,
    bind: str,
    is_opened: bool,
    logroot: str | None,
    config: Path | None,
) -> None:
    """Show EXPERIMENT as a page that follows its runs; without any, all experiments.

    It changes nothing. Ctrl-C ends it.

    \b
    runx watch
    runx watch sweep
    runx watch sweep --open
    """
    from runx.api.watch import watch

    def ready(page: Served) -> None:
        echo(page.address)
        sys.stdout.flush()
        for line in page.hints:
            say(line)
        if is_opened:
            click.launch(page.address)

    lookup = looked_up(logroot, config)
    watch(*experiments, sortwith=sortwith, port=port, bind=bind, ready=ready, **lookup)
