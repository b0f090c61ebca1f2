"""The commands of this machine's queue: ``runx gpus`` and ``runx slots``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from runx.cli.completion import experiments
from runx.cli.console import data, say, warn
from runx.cli.options import looked_up, lookup_options

_HEAD = ("gpu", "name", "state", "experiment", "run", "user", "pid", "for")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def gpus(as_json: bool) -> None:
    """Show the GPUs of this machine, and their MIG slices: who holds each, and for how long.

    \b
    runx gpus
    runx gpus --json
    """
    from runx.api.here import gpus

    found = gpus(warn)
    if as_json:
        data(json.dumps([each.json() for each in found], indent=2), as_json)
        return
    if not found:
        say("no GPU is found here; GPUS in .runx names those that nvidia-smi doesn't list")
        return
    from runx.export.table import aligned
    from runx.sweeps.scalars import duration_text

    rows = [
        (
            *(each.gpu, each.name, each.state, each.experiment, Path(each.run).name, each.user),
            "" if each.pid is None else str(each.pid),
            "" if each.since is None else duration_text(max(time.time() - each.since, 0)),
        )
        for each in found
    ]
    data(aligned(_HEAD, rows, (True, *(False,) * 5, True, True)))


@click.command()
@click.argument("count", type=click.IntRange(0), metavar="N")
@click.argument("experiment", shell_complete=experiments)
@lookup_options
def slots(count: int, experiment: str, logroot: str | None, config: Path | None) -> None:
    """Have the launchers of EXPERIMENT execute N runs at a time from now on, as -j N.

    What runs goes on. With 0 nothing more starts until they are given more.

    \b
    runx slots 4 sweep
    """
    from runx.api.here import slots

    for each in slots(count, experiment, **looked_up(logroot, config)):
        say(f"launcher {each.pid} on {each.host}: {count} at a time from now on")
