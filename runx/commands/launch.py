"""``runx launch FILE``, or ``runx FILE``: from an experiment to runs, here or on a farm."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from runx.commands.local import Local, local_options
from runx.commands.request import request, settings_options
from runx.durations import seconds
from runx.experiment import Experiment
from runx.manners import INTERRUPTED, say
from runx.naming import run_names, tag_names
from runx.nearest import remedy
from runx.plan import MAX_RUNS, plan
from runx.reconcile import RETRIED
from runx.settings import load
from runx.types import Run

if TYPE_CHECKING:
    from runx.deciding import Wish

_CHUNK = 1000  # lines a write


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    length = seconds(text)
    if length is None:
        raise click.BadParameter(f"{text} is no length of time; write 90s, 30m or 2h")
    return length


def _states(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = RETRIED if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in RETRIED:
            raise click.BadParameter(f"{name} is no state to start again; {remedy(name, RETRIED)}")
    return names


@click.command()
@settings_options
@click.option("-n", "--no-run", "--no_run", is_flag=True, help="Print what would be run.")
@click.option("-i", "--interactive", is_flag=True, help="Run here instead of on the farm.")
@click.option("--json", "as_json", is_flag=True, help="With -n: print a list of objects.")
@click.option("--max-runs", type=click.IntRange(1), default=MAX_RUNS, help="Refuse more runs.")
@click.option("--resume/--no-resume", default=None, help="Start only what is not done yet.")
@click.option("--retry", metavar="STATES", callback=_states, help="With --resume: only these.")
@click.option("--restage", is_flag=True, help="With --resume: run today's code.")
@click.option("--again", is_flag=True, help="Launch even what is running already.")
@click.option("-j", "--jobs", metavar="N", help="Runs at a time here, or auto.")
@click.option("--gpus-per-run", type=click.IntRange(0), help="GPUs that each run here gets.")
@click.option("--retries", type=click.IntRange(0), default=0, help="Further attempts here.")
@click.option("--timeout", metavar="TIME", callback=_seconds, help="End a run here after that.")
@click.option("--grace", metavar="TIME", default="30s", callback=_seconds, help="TERM to KILL.")
@click.option("--fail-fast", is_flag=True, help="Start nothing after the first failure.")
@click.option("--max-failures", type=click.IntRange(1), help="Start nothing after so many.")
@click.option("--stream", is_flag=True, help="Show the output of all runs, with their names.")
@click.option("--attach", is_flag=True, help="Give the terminal to the one run (a debugger).")
def command(
    no_run: bool,
    interactive: bool,
    as_json: bool,
    max_runs: int,
    resume: bool | None,
    retry: tuple[str, ...],
    restage: bool,
    again: bool,
    **asked: Any,
) -> int:
    """Launch every run of FILE: the cross product of its HPARAMS.

    \b
    runx sweep.yml -n                what would be run
    runx sweep.yml -i                run it here
    runx sweep.yml -i -j auto        on all GPUs or cores of this machine
    runx sweep.yml                   submit it to the farm of .runx
    runx sweep.yml -i --resume       only what is missing or failed
    """
    from runx.deciding import Wish

    if as_json and not no_run:
        raise click.UsageError("--json goes with -n")
    local = local_options(asked)
    experiment = load(request(here=interactive, **asked))
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    now = datetime.now().astimezone()
    new_name = run_names(now) if experiment.cooldir else tag_names()
    runs = plan(experiment, new_name, max_runs)
    wish = Wish(experiment.resume if resume is None else resume, again, retry, restage)
    if (retry != RETRIED or restage) and not wish.resume:
        raise click.UsageError(f"{'--restage' if restage else '--retry'} goes with --resume")
    if no_run:
        return preview(experiment, runs, wish, as_json)
    return launch(
        experiment, runs, new_name, wish, local if interactive else local._replace(unasked=True)
    )


def preview(experiment: Experiment, runs: Iterable[Run], wish: Wish, as_json: bool) -> int:
    """Print exactly what would be executed, and touch nothing."""
    from runx.deciding import decide
    from runx.previewing import lines, objects, obstacles

    for obstacle in obstacles(experiment, os.environ):
        say(f"note: a launch would stop here: {obstacle}")
    if wish.resume:
        work = decide(experiment, list(runs), wish, say)
        existing = (
            Run(one.there.dir.path.name, one.there.dir, one.run.point) for one in work.again
        )
        runs = itertools.chain(existing, work.new)
    pending = objects(experiment, runs) if as_json else lines(experiment, runs)
    count = 0
    while chunk := list(itertools.islice(pending, _CHUNK)):
        count += len(chunk)
        sys.stdout.buffer.write(("\n".join(chunk) + "\n").encode("utf-8", "surrogateescape"))
    if count:
        say("note: a launch makes new names; those shown here are not kept")
    return 0


def launch(
    experiment: Experiment,
    planned: Iterable[Run],
    new_name: Callable[[str], str],
    wish: Wish,
    local: Local,
) -> int:
    """Decide what starts, freeze the code, make the runs, and execute or submit them."""
    from runx.again import again_command
    from runx.commands.here import run_here
    from runx.errors import SettingsError
    from runx.interrupts import interruptible
    from runx.placing import place
    from runx.submitting import missing_program, submission

    runs = list(planned)
    if not runs:
        say(f"{experiment.file}: RUNX.SKIP leaves no run; nothing to do")
        return 0
    farm = experiment.farm
    if farm and (problem := missing_program(farm, os.environ)):
        raise SettingsError(problem)
    if farm:
        submission(experiment, farm, runs[0])  # a template that can't be rendered stops here
    if not farm and local.unasked:
        say("no farm is set: running here, as with -i")
    try:
        with interruptible():
            placed = place(experiment, runs, new_name, wish, say)
    except KeyboardInterrupt:
        say("interrupted before anything started; what is made already stays")
        say(f"go on: {again_command(sys.argv[1:])}")
        return INTERRUPTED
    if placed is None:
        return 0
    return submit_all(placed) if farm else run_here(placed, local)


def submit_all(placed: Any) -> int:
    """Hand every run to the farm."""
    from runx.farms import is_plain
    from runx.handing import hand_over
    from runx.submitting import submit

    count = 0
    if not is_plain(placed.kit.experiment.farm):
        count = hand_over(placed.kit, placed.handovers, say)
        placed = placed._replace(handovers=())
    for job in submit(placed.kit, placed.handovers, click.echo):
        say(f"{job.run.name}: submitted{f' as job {job.id}' if job.id else ''}")
        count += 1
    say(f"{count} runs submitted; runx status {placed.kit.experiment.name} shows how they stand")
    return 0
