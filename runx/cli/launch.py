"""The command ``runx launch FILE``, or ``runx FILE``: previews and launches of an experiment."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runx.api.experiment import Experiment, SweepPlan
from runx.api.launch import would_take
from runx.api.prepared import avoiding, job_ids_in_preview
from runx.cli.console import data, echo, say
from runx.cli.launch_options import LaunchCommand, launch_options
from runx.cli.options import given_options, local_options, note_executed, request
from runx.cli.source import go_on_command, typed_words
from runx.launching.plan import LaunchOptions
from runx.launching.support import check_options
from runx.rundir.run import Run
from runx.rundir.secrets import unsaid
from runx.sweeps.axes import RESOURCE
from runx.sweeps.merge import keys

if TYPE_CHECKING:
    from runx.config.experiment import Experiment as Settings
    from runx.farms.base import Wait
    from runx.launching.routes import Route
    from runx.local.options import LocalOptions

_CHUNK = 1000  # lines a write
_SELECTING = ("where", "limit", "shuffle", "again", "retry", "restage", "steps")
"""The flags that choose which runs start."""


@click.command(cls=LaunchCommand)
@launch_options
def launch(
    no_run: bool,
    interactive: bool,
    as_json: bool,
    table: bool,
    max_runs: int,
    after: tuple[str, ...],
    test_only: bool,
    detach: bool,
    save: Path | None,
    best: int | None,
    of: tuple[str, ...],
    **flags: Any,
) -> int:
    """Launch every run of FILE: the cross product of its HPARAMS.

    FILE may be -, for standard input, or a command after --, in which commas part values.

    \b
    runx sweep.yml -n                what would be run
    runx sweep.yml -i                run it here
    runx sweep.yml -i -j auto        on all GPUs or cores of this machine
    runx sweep.yml                   submit it to the farm of .runx
    runx sweep.yml lr=0.1,0.2 ~wd    with another axis, without a key
    runx sweep.yml -i --resume       only what is missing or failed
    runx -i -- python train.py --lr 0.1,0.2
    """
    _check_forms(no_run, as_json, table, test_only)
    if detach and (flags["attach"] or flags["stream"]):
        shown = "--attach" if flags["attach"] else "--stream"
        raise click.UsageError(f"--detach leaves the terminal, {shown} uses it: say one of them")
    given = given_options({**flags, "detach": detach})
    local = local_options(flags, is_fallback=not interactive)
    selecting = {name: flags.pop(name) for name in _SELECTING}
    resume = flags.pop("resume")
    claims = not (no_run or test_only or best)
    asked = request(here=interactive, claims=claims, save=save, **flags)
    experiment = _with_best(Experiment.of(asked), best, of)
    _check_and_warn(experiment, given)
    settings = experiment.settings
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
        return _detach(experiment, sweep, choice, local, typed_words(save))
    return _launch(sweep, options, local, after, experiment.at, typed_words(save))


def _with_best(experiment: Experiment, best: int | None, of: Sequence[str]) -> Experiment:
    """Return an experiment, of the ``best`` points of others if so many are asked for."""
    if not (best or of):
        return experiment
    if not (best and of):
        raise click.UsageError("--best K goes with --of EXPERIMENT: the K best points of it")
    experiment = experiment.best(best, of)
    assert experiment.settings.best is not None
    say(experiment.settings.best.line())
    return experiment


def _check_and_warn(experiment: Experiment, given: Mapping[str, Any]) -> None:
    """Print warnings; refuse flags that the farm can't follow, and a farm of SMOKE that is none."""
    settings = experiment.settings
    for warning in experiment.warnings:
        say(f"warning: {warning}")
    if settings.farm and not settings.candidates:
        check_options(settings.farm, given)
    if settings.smoke and settings.smoke.farm:
        experiment.at(settings.smoke.farm)


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
        job_ids_in_preview(settings, after, say)
        return _preview_table(sweep, options, local, as_json)
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
    words: Sequence[str],
) -> int:
    """Launch runs; print how they ended and what to do next, and return the exit status."""
    from runx.api.launched import Caller
    from runx.api.start import start
    from runx.cli.asking import ask_about_changes
    from runx.cli.launch_ending import report
    from runx.cli.progress import watcher

    runs = list(sweep.runs())
    if not runs:
        say(_nothing(sweep.settings.file))
        return 0
    go_on, argv = go_on_command(sweep.settings, words), [sys.argv[0], *words]
    caller = Caller(say, echo, watcher, argv, go_on, ask_about_changes, None, elsewhere)
    launched = start(sweep.settings, runs, sweep.new_name, options, local, caller, after)
    if launched is None:
        return 0
    return report(launched, go_on, say)


def _detach(
    experiment: Experiment,
    sweep: SweepPlan,
    choice: Mapping[str, Any],
    local: LocalOptions,
    words: Sequence[str],
) -> int:
    """Launch runs here that go on without the terminal; print how to follow them."""
    from runx.api.detached import DetachedLaunch, detach
    from runx.cli.asking import ask_about_changes
    from runx.cli.launch_ending import report

    runs, name = tuple(sweep.runs()), shlex.quote(sweep.settings.name)
    if not runs:
        say(_nothing(sweep.settings.file))
        return 0
    go_on = go_on_command(sweep.settings, [*unsaid(words)])  # It is kept in a log.
    argv = [sys.argv[0], *words]
    launch = DetachedLaunch(
        experiment.request, runs, choice, local, argv, go_on, ask_about_changes, report
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
    from runx.api.prepared import lack_of

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
    if options.resume or has_own or sweep.settings.search is not None:
        routes = [route._replace(attempts=list(route.attempts)) for route in routes]
    if options.resume:
        runs = [run for route in routes for run in route.runs]
        is_new = is_new and not all(run.dir.record.exists() for run in runs)
    routes = [route._replace(experiment=avoiding(route.experiment, say)) for route in routes]
    after_ids = _note_obstacles(routes, local, after)
    for line in took_before(routes):
        say(line)
    if sweep.settings.search is not None:
        _say_search(routes, sweep.settings, local)
    if sweep.settings.steps:
        from runx.launching.preview_steps import step_counts, table_of

        steps = [run for route in routes for run in route.runs]
        say(table_of(step_counts(sweep.settings, steps)))
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


def _say_search(routes: Sequence[Route], settings: Settings, local: LocalOptions) -> None:
    """Print what the searches of a launch are, and what they may cost."""
    from runx.api.prepared import crowding_of
    from runx.launching.preview_table import gpu_hours
    from runx.launching.search_preview import search_preview

    for line in search_preview(settings).lines():
        say(line)
    if (hours := gpu_hours(routes)) is not None:
        say(f"at most {hours:,.4g} GPU-hours in all")
    for route in routes:
        if line := crowding_of(route.experiment, local, list(route.runs)):
            say(f"warning: {line}")


def _note_obstacles(
    routes: Iterable[Route], local: LocalOptions, after: tuple[str, ...]
) -> tuple[Wait, ...]:
    """Print where a launch would stop; return what of farms it waits for."""
    from runx.launching.preview import obstacles

    ids: dict[Wait, None] = {}
    for settings, attempts in routes:
        ids |= dict.fromkeys(job_ids_in_preview(settings, after, say))
        listed = isinstance(attempts, (list, tuple))
        _note_lack(settings, local, [each.run for each in attempts] if listed else ())
        for obstacle in obstacles(settings, os.environ):
            say(f"note: a launch would stop here: {obstacle}")
    return tuple(ids)


def _preview_table(
    sweep: SweepPlan, options: LaunchOptions, local: LocalOptions, as_json: bool
) -> int:
    """Print the axes of a sweep, what is skipped, what varies and what the runs need."""
    import json

    from runx.api.prepared import crowding_of
    from runx.launching.preview_table import lines

    table = sweep.survey(options, say)
    if line := crowding_of(sweep.settings, local, ()):
        say(f"warning: {line}")
    data(json.dumps(table.json(), indent=2) if as_json else "\n".join(lines(table)), as_json)
    return 0


def _nothing(file: object) -> str:
    return f"{file}: RUNX.SKIP leaves no run; nothing to do"
