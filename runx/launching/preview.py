"""The preview of a launch: exactly what it would execute, and where it would stop.

Most previews are of runs here: modules for farms are imported where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runx.config.experiment import Experiment
from runx.errors import ArgumentError, FarmError, SettingsError, SweepError
from runx.launching.plan import LaunchOptions, LaunchPlan, PlannedAttempt, selected
from runx.launching.routes import Route, routes
from runx.rundir.argv import shell_command, unplaced
from runx.rundir.logdir import Logdir
from runx.rundir.placement import PlacementError
from runx.rundir.run import Run
from runx.rundir.styles import DASHES, words

if TYPE_CHECKING:
    from runx.farms.base import Wait


def obstacles(experiment: Experiment, environment: Mapping[str, str]) -> Iterator[str]:
    """Return the problems that would stop a launch before its first run."""
    if experiment.farm:
        from runx.farms.commands import missing_program
        from runx.farms.places import located

        if problem := missing_program(experiment.farm, environment):
            yield problem
        try:
            located(experiment.farm)
        except FarmError as error:
            yield str(error)
    folder = experiment.logroot
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield f"LOGROOT {experiment.logroot} can't be written"


def starting(
    experiment: Experiment,
    runs: Iterable[Run],
    options: LaunchOptions,
    say: Callable[[str], None],
) -> list[Route]:
    """Return where runs, or steps of runs, go that a launch would start, by their own names."""
    if experiment.steps:
        from runx.launching.step_plan import steps_to_start

        steps = steps_to_start(experiment, list(runs), options, say)
        return routes(experiment, steps.plan.attempts, say)
    attempts: Iterable[PlannedAttempt]
    if options.resume:
        from runx.launching.decide import decide

        attempts = decide(experiment, list(runs), options, say).attempts
    elif options.selects:
        attempts = selected(LaunchPlan.of_new(runs), options).attempts
    else:
        attempts = map(PlannedAttempt, runs)
    return routes(experiment, attempts, say)


def took_before(routes: Iterable[Route]) -> Iterator[str]:
    """Yield how long earlier runs took, beside the time that RESOURCES asks for now, if it does."""
    times: list[str] = []
    for route in routes:
        resources = route.experiment.resources
        asked = [(each.name, each.text) for each in resources if each.value is not None]
        # What was computed for each run is among its own; others are not made yet.
        own = route.attempts if isinstance(route.attempts, tuple) else ()
        asked += ((name, str(value)) for each in own for name, value in each.run.point.resources)
        times += (str(text) for name, text in asked if name.lower() == "time" and text)
    if times:
        from runx.analysis import took

        if found := took.took_before(route.experiment.dir):
            yield found.line(times)


def check_first(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Check that runs can be passed to their script and to their farm.

    Raises:
        SweepError: ARGS can't express a hyperparameter.
        SettingsError: The farm can't provide a resource.
    """
    shown = runs if experiment.search is None else as_shown(experiment, runs)
    if experiment.steps:
        from runx.launching.preview_steps import lines as of_steps

        with args_named(experiment):
            for _ in of_steps(experiment, shown):
                pass  # each can be given what its command places
    else:
        examples = shown
        if experiment.search is not None:
            from runx.launching.search_checks import examples_of

            examples = examples_of(experiment, runs)
        _check_arguments(experiment, examples)
        _check_launch(experiment, shown)
    if experiment.farm:
        from runx.launching.preview_jobs import check_jobs

        check_jobs(experiment, experiment.farm, runs)


def as_shown(experiment: Experiment, runs: Iterable[Run]) -> list[Run]:
    """Return runs as they are shown: names stand for what a search chooses when they start."""
    if experiment.search is None:
        return list(runs)
    from runx.launching.searches import shower

    return list(map(shower(experiment), runs))


def _check_launch(experiment: Experiment, runs: Iterable[Run]) -> None:
    """Raise a SettingsError where LAUNCH can't start the command, or not on so many nodes."""
    if experiment.shell.launch:
        from runx.launching.create import spread
        from runx.rundir.argv import is_execable
        from runx.rundir.script import torchrun

        for run in runs:
            is_program = is_execable(experiment.cmd, run.point, experiment.style)
            torchrun(experiment.cmd, is_program, spread(experiment, run))


def _check_arguments(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Raise a SweepError for what ARGS can't express, or what can't stand where CMD has its name.

    The default style expresses all but some lists.
    """
    style, cmd = experiment.style, experiment.cmd
    with args_named(experiment):
        if style.style == "file":
            from runx.rundir.configfile import check_configs

            kept = experiment.config.paths if experiment.config else ()
            points = (unplaced(cmd, run.point, style, kept) for run in runs)
            check_configs(points, style, experiment.config)
        if style != DASHES or "{" in cmd:
            for run in runs:
                shell_command(cmd, run.point, Logdir.at(run.dir), style)
        else:
            lists = {
                hparam
                for run in runs
                for hparam in run.point.hparams
                if type(hparam.value) is tuple
            }
            for hparam in lists:
                words(hparam)


@contextmanager
def args_named(experiment: Experiment) -> Iterator[None]:
    """Put into the message of a SweepError where ARGS stands, or CMD.

    The default style has no ARGS: what is wrong then is a value that is made only now, or a list.
    """
    try:
        yield
    except PlacementError as error:
        raise SettingsError(f"{experiment.settings['CMD'].origin}: {error}") from None
    except ArgumentError as error:
        raise SweepError(f"{experiment.file}: ARGS: {error}") from None
    except SweepError as error:
        if experiment.style == DASHES:
            raise
        raise SweepError(f"{experiment.settings['ARGS'].origin}: ARGS: {error}") from None


def lines(
    routes: Iterable[Route], json: bool = False, after: tuple[Wait, ...] = ()
) -> Iterator[str]:
    """Return what would be executed for each run: lines for a shell, or a JSON array in pieces.

    The lines of a run are its command, or for a farm what submits its job, which starts ``after``
    the jobs with these ids.
    """
    parts = _parts(routes, json, after)
    yield from _as_list(parts) if json else parts


def _parts(routes: Iterable[Route], json: bool, after: tuple[Wait, ...]) -> Iterator[str]:
    for experiment, attempts in routes:
        runs: Iterable[Run] = (planned.run for planned in attempts)
        if experiment.search is not None and not json:
            runs = as_shown(experiment, runs)
        if experiment.shell.launch:
            runs = list(runs)
            _check_launch(experiment, runs)
        with args_named(experiment):
            if json:
                from runx.launching.preview_jobs import objects

                yield from objects(experiment, runs, after)
            elif experiment.farm:
                from runx.launching.preview_jobs import job_lines

                yield from job_lines(experiment, experiment.farm, runs, after)
            elif experiment.steps:
                from runx.launching.preview_steps import lines as of_steps

                yield from of_steps(experiment, list(runs))
            else:
                for run in runs:
                    logdir = Logdir.at(run.dir)
                    yield shell_command(experiment.cmd, run.point, logdir, experiment.style)


def _as_list(objects: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a JSON list of objects."""
    line = "["
    for each in objects:
        yield line
        line = each + ","
    yield line.rstrip(",") + ("]" if line == "[" else "\n]")
