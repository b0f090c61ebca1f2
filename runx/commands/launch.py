"""``runx launch FILE``, or ``runx FILE``: from an experiment to runs, here or on a farm."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from runx.commands.choosing import choosing_options, selection
from runx.commands.local import Local, local_options
from runx.commands.request import request, settings_options
from runx.language.durations import seconds
from runx.language.nearest import remedy
from runx.plans.experiment import Experiment
from runx.plans.plan import (
    MAX_RUNS,
    RETRIED,
    LaunchOptions,
    LaunchPlan,
    Namer,
    PlannedAttempt,
    namer,
    plan,
    sweep_of,
)
from runx.settings.load import load
from runx.sweeps.naming import preview_slugs
from runx.sweeps.survey import names
from runx.sweeps.sweep import Sweep
from runx.terminal.manners import say
from runx.types import Run

_WISHES = ("resume", "again", "retry", "restage", "where", "limit", "shuffle")
"""The flags that say which runs start."""


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


def _now() -> datetime:
    return datetime.now().astimezone()


@click.command()
@settings_options
@click.option("-n", "--no-run", "--no_run", is_flag=True, help="Print what would be run.")
@click.option("-i", "--interactive", is_flag=True, help="Run here instead of on the farm.")
@click.option("--json", "as_json", is_flag=True, help="With -n: print JSON.")
@click.option("--table", is_flag=True, help="With -n: print axes, counts and what varies.")
@choosing_options
@click.option("--max-runs", type=click.IntRange(1), default=MAX_RUNS, help="Refuse more runs.")
@click.option("--resume/--no-resume", default=None, help="Start only what is not done yet.")
@click.option("--retry", metavar="STATES", callback=_states, help="With --resume: only these.")
@click.option("--restage", is_flag=True, help="With --resume: run today's code.")
@click.option("--again", is_flag=True, help="Launch even what is running already.")
@click.option("-j", "--jobs", metavar="N", help="Runs at a time here, or auto.")
@click.option("--after", multiple=True, metavar="NAME", help="Wait for an experiment or a run.")
@click.option("--test-only", is_flag=True, help="Ask the scheduler whether it would take it.")
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
    table: bool,
    max_runs: int,
    after: tuple[str, ...],
    test_only: bool,
    **asked: Any,
) -> int:
    """Launch every run of FILE: the cross product of its HPARAMS.

    \b
    runx sweep.yml -n                what would be run
    runx sweep.yml -i                run it here
    runx sweep.yml -i -j auto        on all GPUs or cores of this machine
    runx sweep.yml                   submit it to the farm of .runx
    runx sweep.yml lr=0.1,0.2 ~wd    with another axis, without a key
    runx sweep.yml -i --resume       only what is missing or failed
    """
    if (as_json or table) and not no_run:
        raise click.UsageError(f"{'--json' if as_json else '--table'} goes with -n")
    local = local_options(asked)
    wanted = {name: asked.pop(name) for name in _WISHES}
    experiment = load(request(here=interactive, **asked))
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    sweep = sweep_of(experiment, max_runs)
    options = _options(wanted, experiment, sweep, local)
    if no_run:
        from runx.commands.showing import preview, preview_table
    if table:
        return preview_table(experiment, sweep, options, as_json)
    new_name = namer(experiment, sweep, _now(), preview_slugs() if no_run else None)
    runs = plan(experiment, sweep, new_name)
    if test_only:
        return _tried(experiment, runs, options)
    if no_run:
        return preview(experiment, runs, options, as_json)
    local = local if interactive else local._replace(unasked=True)
    return launch(experiment, runs, new_name, options, local, after)


def _options(
    asked: dict[str, Any], experiment: Experiment, sweep: Sweep, local: Local
) -> LaunchOptions:
    """Return which of the runs are asked for, as the flags say."""
    resume = experiment.resume if asked["resume"] is None else asked["resume"]
    retry, restage = asked["retry"], asked["restage"]
    if (retry != RETRIED or restage) and not resume:
        raise click.UsageError(f"{'--restage' if restage else '--retry'} goes with --resume")
    chosen = selection(asked, lambda: names(sweep), experiment.beside.seed, resume)
    return LaunchOptions(resume, asked["again"], retry, restage, local.attach, **chosen)


def _tried(experiment: Experiment, runs: Iterable[Run], options: LaunchOptions) -> int:
    """Ask the scheduler whether it would take what would start."""
    from runx.launching.jobs import job_specs
    from runx.launching.preview import starting
    from runx.schedulers.query import would_take

    jobs = job_specs(
        experiment, (PlannedAttempt(run) for run in starting(experiment, runs, options, say))
    )
    would_take(experiment.farm, jobs, experiment.dir.jobs(experiment.texts["launch"]), say)
    return 0


def launch(
    experiment: Experiment,
    planned: Iterable[Run],
    new_name: Namer,
    options: LaunchOptions,
    local: Local,
    after: tuple[str, ...] = (),
) -> int:
    """Decide what starts, freeze the code, make the runs, and execute or submit them."""
    from runx.commands.here import room, run_here
    from runx.commands.showing import nothing
    from runx.launching.create import create_runs
    from runx.launching.preview import check_first
    from runx.launching.signals import interruptible
    from runx.reading.commands import again_command

    runs = list(planned)
    if not runs:
        say(nothing(experiment))
        return 0
    obstacle(experiment)
    check_first(experiment, runs)
    jobs = _awaited(experiment, after)
    if not experiment.farm and local.unasked and "FARM" not in experiment.settings:
        say("no farm is set: running here, as with -i")
    there = None if experiment.farm else room(experiment, local)
    with interruptible(again_command(sys.argv[1:])):
        made = create_runs(experiment, runs, new_name, options, say)
    if made is None:
        return 0
    return run_here(experiment, made, local, there) if there else submit_all(made, jobs)


def obstacle(experiment: Experiment) -> None:
    """Stop where the program that submits is not there, before anything is made."""
    if not experiment.farm:
        return
    from runx.errors import SettingsError
    from runx.schedulers.submit import missing_program

    if problem := missing_program(experiment.farm, os.environ):
        raise SettingsError(problem)


def _awaited(experiment: Experiment, after: tuple[str, ...]) -> tuple[str, ...]:
    if not after:
        return ()
    from runx.commands.lookup import warn
    from runx.launching.after import job_ids

    return job_ids(after, experiment.logroot, Path.cwd(), experiment.farm, warn)


def submit_all(plan: LaunchPlan, after: tuple[str, ...] = ()) -> int:
    """Submit every run to the farm."""
    from runx.launching.jobs import job_specs
    from runx.schedulers.submit import submit

    context = plan.context
    assert context is not None
    experiment, farm = context.experiment, context.experiment.farm
    assert farm is not None
    jobs = job_specs(experiment, plan.attempts)
    # The user's own command is shown before it is executed; it may well execute the run.
    show = click.echo if farm.submit_cmd else None
    count = submit(farm, jobs, experiment.dir.jobs(context.launch), context.code, say, after, show)
    runs = "1 run" if count == 1 else f"{count} runs"
    say(f"{runs} submitted; runx status {experiment.name} shows how they stand")
    return 0
