"""What runs find where they go: whom they wait for, and what they get of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.errors import RunxError, SettingsError
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.farms.base import Wait
    from runx.farms.resources import Needs
    from runx.local.capacity import Capacity


class Prepared(NamedTuple):
    """What was found before runs are made: those to wait for, by job, and what runs get here."""

    predecessors: Mapping[Wait, RunDir] = {}
    capacity: Capacity | None = None


def prepared(
    settings: Settings, runs: Sequence[Run], local: LocalOptions, after: Sequence[str], say: Say
) -> dict[str, Prepared]:
    """Return what runs find where they go, by the name of their farm.

    Raises:
        RunxError: They can't start there as they are asked for.
    """
    from runx.launching.plan import PlannedAttempt
    from runx.launching.routes import routes

    return {
        route.experiment.place: prepared_at(
            route.experiment, list(route.runs), local, after, say, settings.candidates
        )
        for route in routes(settings, map(PlannedAttempt, runs))
    }


def prepared_at(
    settings: Settings,
    runs: Sequence[Run],
    local: LocalOptions,
    after: Sequence[str],
    say: Say,
    candidates: Sequence[Settings] = (),
) -> Prepared:
    """Return what runs find at one place."""
    from runx.launching.preview import check_first
    from runx.launching.support import check_options

    if candidates and settings.farm:
        check_options(settings.farm, local.given())
    check_program(settings)
    check_first(settings, runs)
    predecessors = job_ids_of(settings, after, say)
    if settings.search is not None:
        from runx.launching.search_preview import search_preview

        if lack := search_preview(settings, executes=True).lack:
            say(f"warning: {lack}")
        if line := crowding_of(settings, local, runs):
            say(f"warning: {line}")
    is_here = settings.farm is None
    if is_here and local.is_fallback and "FARM" not in settings.settings:
        say("no farm is set: running here, as with -i")
    if is_here:
        _wait_here(settings, after, say)
    return Prepared(predecessors, capacity_of(settings, local, runs, say) if is_here else None)


def avoiding(settings: Settings, say: Say) -> Settings:
    """Return settings whose farm keeps jobs from machines on which runs fail at once."""
    if settings.farm is None:
        return settings
    from runx.launching.jobs import avoiding

    return avoiding(settings, say)


def check_program(settings: Settings) -> None:
    """Raise a SettingsError if the program that submits is not installed."""
    if not settings.farm:
        return
    from runx.farms.commands import missing_program

    if problem := missing_program(settings.farm, os.environ):
        raise SettingsError(problem)


def job_ids_of(settings: Settings, after: Sequence[str], say: Say) -> dict[Wait, RunDir]:
    """Return the runs that a launch waits for, by what of their farm it waits for.

    Runs here wait for none: their launcher does.
    """
    if not (settings.after or after):
        return {}
    from runx.launching.after import awaited, job_ids, named

    def warn(line: str) -> None:
        say(f"warning: {line}")

    names = named(settings, after)
    if settings.farm is None:
        awaited(names, settings.logroot, Path.cwd(), warn)
        return {}
    return job_ids(names, settings.logroot, Path.cwd(), settings.farm, warn)


def job_ids_in_preview(settings: Settings, after: Sequence[str], say: Say) -> dict[Wait, RunDir]:
    """Return what ``job_ids_of`` does; that AFTER can't be followed yet is said, no error."""
    found = job_ids_of(settings._replace(after={}), after, say)
    try:
        return found | job_ids_of(settings, after, say) if settings.after else found
    except RunxError as error:
        say(f"note: a launch would stop here: {error}")
        return found


def _wait_here(settings: Settings, after: Sequence[str], say: Say) -> None:
    """Wait for what runs here are after."""
    if settings.after or after:
        from runx.launching.after import named, wait_here

        wait_here(named(settings, after), settings.logroot, Path.cwd(), say)


def capacity_of(settings: Settings, local: LocalOptions, runs: Sequence[Run], say: Say) -> Capacity:
    """Return how many runs execute here at a time, and on which devices.

    Without any, it is that of runs that need what RESOURCES says.

    Raises:
        SettingsError: This machine has less than a run needs.
    """
    from runx.farms.resources import needs as shared_needs
    from runx.local.capacity import THREADS, Wanted, capacity, unused

    if settings.search is not None and local.jobs is None:
        local = local._replace(jobs=settings.max_parallel)
    shared = shared_needs(settings.resources, settings.limits)
    needs = needs_of(settings, runs) or [shared]
    if names := unused(set(needs)):
        say(f"note: RESOURCES: {', '.join(names)}: for a farm alone, not looked at here")
    sets_threads = THREADS in os.environ or THREADS in dict(settings.shell.environment)
    most, limits, priority = settings.max_parallel, settings.limits, settings.priority
    said = _said_by_steps(needs, settings, runs)
    wanted = Wanted(needs, shared, settings.gpus, most, local, sets_threads, limits, priority, said)
    return capacity(wanted, os.environ, say)


def _said_by_steps(
    needs: Sequence[Needs], settings: Settings, runs: Sequence[Run]
) -> dict[Needs, str]:
    """Return the keys of the RESOURCES of steps, by the needs of runs that these say."""
    if not settings.steps:
        return {}
    from runx.rundir.steps import leaders

    leader, steps = leaders(settings.steps), {step.name: step for step in settings.steps}
    said = {}
    for need, run in zip(needs, runs, strict=False):
        name = leader[run.step.name] if run.step else ""
        if name and steps[name].resources is not None and not run.point.resources:
            said[need] = f"STEPS.{name}.RESOURCES"
    return said


def lack_of(settings: Settings, local: LocalOptions, runs: Sequence[Run]) -> str:
    """Return what this machine lacks for runs here, which a launch would stop at."""
    try:
        if settings.farm is None:
            capacity_of(settings, local, runs, lambda line: None)
    except SettingsError as error:
        return str(error)
    return ""


def crowding_of(settings: Settings, local: LocalOptions, runs: Sequence[Run]) -> str:
    """Return a warning where more runs go on at a time than a search can learn from, else ""."""
    if settings.search is None:
        return ""
    from runx.launching.search_preview import crowding

    if settings.farm is not None:
        return crowding(settings, settings.max_parallel)
    try:
        return crowding(settings, capacity_of(settings, local, runs, lambda line: None).jobs)
    except SettingsError:
        return ""  # What is lacking here is said elsewhere.


def needs_of(settings: Settings, runs: Sequence[Run]) -> list[Needs]:
    """Return what each run needs; those without RESOURCES of their own need the same."""
    from runx.farms.resources import needs
    from runx.launching.plan import resources_of

    limits = settings.limits
    if settings.steps:
        return [needs(resources_of(settings, run), limits) for run in runs]
    shared = needs(settings.resources, limits)
    return [
        needs(resources_of(settings, run), limits) if run.point.resources else shared
        for run in runs
    ]
