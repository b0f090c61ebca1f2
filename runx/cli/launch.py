"""The command ``runx launch FILE``, or ``runx FILE``: previews and launches of an experiment."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from runx.api.experiment import Experiment, SweepPlan
from runx.api.launch import would_take
from runx.api.start import avoiding, job_ids_of
from runx.cli.console import data, echo, say
from runx.cli.options import (
    choosing_options,
    given_options,
    local_options,
    note_executed,
    request,
    settings_options,
)
from runx.launching.plan import MAX_RUNS, RETRIED, LaunchOptions
from runx.launching.support import check_options
from runx.nearest import suggestion
from runx.rundir.run import Run
from runx.rundir.secrets import unsaid
from runx.sweeps.axes import RESOURCE
from runx.sweeps.merge import keys
from runx.sweeps.scalars import seconds

if TYPE_CHECKING:
    from runx.config.experiment import Experiment as Settings
    from runx.farms.base import Wait
    from runx.launching.routes import Route
    from runx.local.options import LocalOptions

_CHUNK = 1000  # lines a write
_SELECTING = ("where", "limit", "shuffle", "again", "retry", "restage", "steps")
"""The flags that choose which runs start."""


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    number = seconds(text)
    if number is None:
        raise click.BadParameter(f"{text} is no length of time; write 90s, 30m or 2h")
    return number


def _states(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = RETRIED if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in RETRIED:
            raise click.BadParameter(
                f"{name} is no state to start again; {suggestion(name, RETRIED)}"
            )
    return names


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
@click.option(
    "--step", "steps", multiple=True, metavar="NAME", help="With --resume: only this step, again."
)
@click.option("--restage", is_flag=True, help="With --resume: run today's code.")
@click.option("--again", is_flag=True, help="Launch even what is running already.")
@click.option("-j", "--jobs", metavar="N", help="Runs at a time here, or auto.")
@click.option("--after", multiple=True, metavar="NAME", help="Wait for an experiment or a run.")
@click.option("--smoke", metavar="TIME", help="Try the first run here before the others start.")
@click.option("--test-only", is_flag=True, help="Ask the scheduler whether it would take it.")
@click.option("--gpus-per-run", type=click.IntRange(0), help="GPUs that each run here gets.")
@click.option("--retries", type=click.IntRange(0), help="Further attempts here.")
@click.option("--timeout", metavar="TIME", callback=_seconds, help="End a run here after that.")
@click.option("--grace", metavar="TIME", default="30s", callback=_seconds, help="TERM to KILL.")
@click.option("--fail-fast", is_flag=True, help="Start nothing after the first failure.")
@click.option("--max-failures", type=click.IntRange(1), help="Start nothing after so many.")
@click.option("--stream", is_flag=True, help="Show the output of all runs, with their names.")
@click.option("--attach", is_flag=True, help="Give the terminal to the one run (a debugger).")
@click.option("--detach", is_flag=True, help="Go on here without the terminal; see runx attach.")
def launch(
    no_run: bool,
    interactive: bool,
    as_json: bool,
    table: bool,
    max_runs: int,
    after: tuple[str, ...],
    test_only: bool,
    detach: bool,
    **flags: Any,
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
    _check_forms(no_run, as_json, table, test_only)
    given = given_options({**flags, "detach": detach})
    if detach and (flags["attach"] or flags["stream"]):
        shown = "--attach" if flags["attach"] else "--stream"
        raise click.UsageError(f"--detach leaves the terminal, {shown} uses it: say one of them")
    local = local_options(flags, is_fallback=not interactive)
    selecting = {name: flags.pop(name) for name in _SELECTING}
    resume = flags.pop("resume")
    claims = not (no_run or test_only)
    experiment = Experiment.of(request(here=interactive, claims=claims, **flags))
    settings = experiment.settings
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    if settings.farm and not settings.candidates:
        check_options(settings.farm, given)
    if settings.smoke and settings.smoke.farm:
        experiment.at(settings.smoke.farm)
    sweep = SweepPlan.of(settings, max_runs, placeholders=no_run)
    resume = settings.resume or bool(selecting["steps"]) if resume is None else resume
    choice = {**selecting, "resume": resume, "single": local.attach}
    options = sweep.options(**choice)
    if no_run:
        return _show(sweep, options, local, after, as_json, table)
    if test_only:
        would_take(settings, sweep.runs(), options, say, after)
        return 0
    if detach and not after:
        return _detach(experiment, sweep, choice, local)
    return _launch(sweep, options, local, after, experiment.at)


def _show(
    sweep: SweepPlan,
    options: LaunchOptions,
    local: LocalOptions,
    after: tuple[str, ...],
    as_json: bool,
    table: bool,
) -> int:
    """Print what would be run, and what should be known of that; return the exit status."""
    settings = sweep.settings
    note_executed(settings)
    if settings.smoke:
        say("note: a launch tries the first run before the others, as SMOKE says")
    if table:
        job_ids_of(settings, after, say)
        return _preview_table(sweep, options, as_json)
    return _preview(sweep, options, local, as_json, after)


def _check_forms(no_run: bool, as_json: bool, table: bool, test_only: bool) -> None:
    if (as_json or table) and not no_run:
        raise click.UsageError(f"{'--json' if as_json else '--table'} goes with -n")
    if test_only and no_run:
        raise click.UsageError("-n prints what would be run, --test-only asks: say one of them")


def _launch(
    sweep: SweepPlan,
    options: LaunchOptions,
    local: LocalOptions,
    after: tuple[str, ...],
    elsewhere: Callable[[str], Settings],
) -> int:
    """Launch runs; print how they ended and what to do next, and return the exit status."""
    from runx.analysis.commands import resume_command
    from runx.api.launched import Caller
    from runx.api.start import start
    from runx.cli.asking import ask_about_changes
    from runx.cli.launch_ending import report
    from runx.cli.progress import watcher

    runs = list(sweep.runs())
    if not runs:
        say(_nothing(sweep.settings.file))
        return 0
    go_on = resume_command(sys.argv[1:])
    caller = Caller(say, echo, watcher, sys.argv, go_on, ask_about_changes, None, elsewhere)
    launched = start(sweep.settings, runs, sweep.new_name, options, local, caller, after)
    if launched is None:
        return 0
    return report(launched, go_on, say)


def _detach(
    experiment: Experiment, sweep: SweepPlan, choice: Mapping[str, Any], local: LocalOptions
) -> int:
    """Launch runs here that go on without the terminal; print how to follow them."""
    from runx.analysis.commands import resume_command
    from runx.api.detached import DetachedLaunch, detach
    from runx.cli.asking import ask_about_changes
    from runx.cli.launch_ending import report

    runs, name = tuple(sweep.runs()), shlex.quote(sweep.settings.name)
    if not runs:
        say(_nothing(sweep.settings.file))
        return 0
    go_on = resume_command([*unsaid(sys.argv[1:])])  # It is kept in a log.
    launch = DetachedLaunch(
        experiment.request, runs, choice, local, sys.argv, go_on, ask_about_changes, report
    )
    begun = detach(launch, say)
    if begun:
        many = "1 run goes" if len(begun.runs) == 1 else f"{len(begun.runs)} runs go"
        say(f"{many} on without this terminal")
        say(f"runx attach {name} follows, runx cancel {name} ends it")
    return 0


def _note_lack(settings: Settings, local: LocalOptions, runs: Sequence[Run]) -> None:
    """Print what this machine lacks for runs here; those given may have RESOURCES of their own."""
    if not (settings.resources or local.gpus_per_run or runs):
        return
    from runx.api.start import lack_of

    if lack := lack_of(settings, local, runs):
        say(f"note: a launch would stop here: {lack}")


def _preview(
    sweep: SweepPlan,
    options: LaunchOptions,
    local: LocalOptions,
    as_json: bool,
    after: tuple[str, ...],
) -> int:
    """Print what would be executed; write nothing."""
    from runx.launching.preview import lines, starting, took_before

    routes = starting(sweep.settings, sweep.runs(), options, say)
    is_new = not sweep.settings.run_name
    has_own = any(name.startswith(RESOURCE) for name in keys(sweep.settings.hparams))
    if options.resume or has_own:
        routes = [route._replace(attempts=list(route.attempts)) for route in routes]
    if options.resume:
        runs = [run for route in routes for run in route.runs]
        is_new = is_new and not all(run.dir.record.exists() for run in runs)
    routes = [route._replace(experiment=avoiding(route.experiment, say)) for route in routes]
    after_ids = _note_obstacles(routes, local, after)
    for line in took_before(routes):
        say(line)
    pending = lines(routes, as_json, after_ids)
    count = 0
    while chunk := list(itertools.islice(pending, _CHUNK)):
        count += len(chunk)
        data("\n".join(chunk), exact=True)
    if count and is_new:
        say("note: a launch makes new names; those shown here are not kept")
    if not count and not options.resume and not options.selects:
        say(_nothing(sweep.settings.file))
    return 0


def _note_obstacles(
    routes: Iterable[Route], local: LocalOptions, after: tuple[str, ...]
) -> tuple[Wait, ...]:
    """Print where a launch would stop; return what of farms it waits for."""
    from runx.launching.preview import obstacles

    ids: dict[Wait, None] = {}
    for settings, attempts in routes:
        ids |= dict.fromkeys(job_ids_of(settings, after, say))
        listed = isinstance(attempts, (list, tuple))
        _note_lack(settings, local, [each.run for each in attempts] if listed else ())
        for obstacle in obstacles(settings, os.environ):
            say(f"note: a launch would stop here: {obstacle}")
    return tuple(ids)


def _preview_table(sweep: SweepPlan, options: LaunchOptions, as_json: bool) -> int:
    """Print the axes of a sweep, what is skipped, what varies and what the runs need."""
    import json

    from runx.launching.preview_table import lines

    table = sweep.survey(options, say)
    data(json.dumps(table.json(), indent=2) if as_json else "\n".join(lines(table)), as_json)
    return 0


def _nothing(file: object) -> str:
    return f"{file}: RUNX.SKIP leaves no run; nothing to do"
