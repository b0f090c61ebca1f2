"""What ``-n`` prints of a launch."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from runx.plans.experiment import Experiment
from runx.plans.plan import namer, plan
from runx.sweeps.sweep import Sweep
from runx.terminal.manners import say
from runx.types import Run

if TYPE_CHECKING:
    from runx.plans.plan import LaunchOptions

_CHUNK = 1000  # lines a write


def preview(
    experiment: Experiment, runs: Iterable[Run], options: LaunchOptions, as_json: bool
) -> int:
    """Print exactly what would be executed, and touch nothing."""
    from runx.launching.preview import lines, obstacles, starting

    for obstacle in obstacles(experiment, os.environ):
        say(f"note: a launch would stop here: {obstacle}")
    runs = starting(experiment, runs, options, say)
    is_new = not experiment.run_name
    if options.resume:
        runs = list(runs)
        is_new = is_new and not all(run.dir.record.exists() for run in runs)
    pending = _objects(experiment, runs) if as_json else lines(experiment, runs)
    count = 0
    while chunk := list(itertools.islice(pending, _CHUNK)):
        count += len(chunk)
        sys.stdout.buffer.write(("\n".join(chunk) + "\n").encode("utf-8", "surrogateescape"))
    sys.stdout.flush()  # What is said of it comes after it, wherever both go.
    if count and is_new:
        say("note: a launch makes new names; those shown here are not kept")
    if not count and not options.resume and not options.selects:
        say(nothing(experiment))
    return 0


def _objects(experiment: Experiment, runs: Iterable[Run]) -> Iterator[str]:
    from runx.launching.preview import args_named
    from runx.launching.preview_jobs import objects

    with args_named(experiment):
        yield from objects(experiment, runs)


def nothing(experiment: Experiment) -> str:
    """Say that a sweep comes to no run."""
    return f"{experiment.file}: RUNX.SKIP leaves no run; nothing to do"


def preview_table(
    experiment: Experiment, sweep: Sweep, options: LaunchOptions, as_json: bool
) -> int:
    """Print the sweep from above: its axes, what is dropped, what varies and what it takes."""
    import json

    from runx.launching import preview_table as table
    from runx.launching.preview import starting

    # Names of one launch are of no use to the next, unless RUN_NAME says them.
    new_name = (
        namer(experiment, sweep, datetime.now().astimezone())
        if experiment.run_name
        else lambda point: ""
    )
    runs = starting(experiment, plan(experiment, sweep, new_name), options, say)
    found = table.preview_table(experiment, sweep, runs)
    click.echo(json.dumps(found.json(), indent=2) if as_json else "\n".join(table.lines(found)))
    return 0
