"""Launching runs: decide what starts, make the runs, execute them here or submit them to a farm."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.launched import Caller, Launched, together, with_flag
from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.errors import SettingsError
from runx.launching.plan import ExistingRun, LaunchOptions, LaunchPlan, Namer
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.steps import Predecessor

if TYPE_CHECKING:
    from runx.farms.base import Wait
    from runx.farms.resources import Needs
    from runx.local.capacity import Capacity
    from runx.rundir.state import State
    from runx.rundir.steps import When


def start(
    settings: Settings,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    local: LocalOptions,
    caller: Caller,
    after: Sequence[str] = (),
) -> Launched | None:
    """Decide what starts, freeze the code, make the runs, and execute or submit them.

    Returns:
        None where nothing starts.
    """
    from runx.launching.create import create_runs
    from runx.launching.preview import starting
    from runx.local.signals import interruptible

    settings = with_flag(settings, local)
    ready = prepared(settings, runs, local, after, caller.say)
    make_steps: Callable[..., LaunchPlan | None] | None = None
    if settings.steps:
        from runx.launching.create_steps import create_steps

        make_steps = create_steps
    say, argv, ask = caller.say, caller.argv, caller.ask
    if settings.smoke and caller.elsewhere:
        from runx.api.smoke import try_first

        routes = starting(settings, runs, options, _ignore)
        first = (run for route in routes for run in route.runs)
        with interruptible(caller.go_on):
            try_first(settings, first, local, caller, _try)
    with interruptible(caller.go_on):
        plans = create_runs(settings, runs, new_name, options, say, argv, ask, make_steps)
    # Runs here keep this process until they have ended.
    plans.sort(key=lambda plan: plan.context is None or plan.context.experiment.farm is None)
    launched = []
    try:
        for plan in plans:
            own = plan.context.experiment if plan.context else settings
            way = ready.get(own.place) or _prepared(own, plan.runs, local, after, caller.say)
            if way.capacity is not None and caller.begun:
                caller.begun(plan)
            if settings.steps:
                launched.append(_start_placed(own, plan, local, way, caller))
            elif way.capacity is None:
                launched.append(_submit(plan, way.predecessors, caller))
            else:
                launched.append(_execute(own, plan, local, way.capacity, caller))
    finally:
        for plan in plans:
            if plan.context and plan.context.lock is not None:
                os.close(plan.context.lock)
    return functools.reduce(together, launched) if launched else None


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
        route.experiment.place: _prepared(
            route.experiment, list(route.runs), local, after, say, settings.candidates
        )
        for route in routes(settings, map(PlannedAttempt, runs))
    }


def _prepared(
    settings: Settings,
    runs: Sequence[Run],
    local: LocalOptions,
    after: Sequence[str],
    say: Say,
    candidates: Sequence[Settings] = (),
) -> Prepared:
    from runx.launching.preview import check_first
    from runx.launching.support import check_options

    if candidates and settings.farm:
        check_options(settings.farm, local.given())
    _check_program(settings)
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
    if settings.steps:
        from runx.launching.step_places import executes_here

        is_here = executes_here(settings)
    if is_here:
        _wait_here(settings, after, say)
    return Prepared(predecessors, capacity_of(settings, local, runs, say) if is_here else None)


def _start_placed(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    way: Prepared,
    caller: Caller,
) -> Launched:
    """Execute the steps that are here, then submit the others to their farms."""
    from runx.launching.step_places import placed, with_done

    here, parts = placed(plan)
    launched = None
    if way.capacity is not None and (here.attempts or here.adopted):
        launched = _execute(settings, here, local, way.capacity, caller)
        parts = [] if launched.stopped else with_done(parts, caller.say)
    submitted = [_submit(part, way.predecessors, caller) for part in parts]
    if launched is not None and (not submitted or any(end.status for end in launched.ended)):
        return launched
    runs = tuple(run.dir for run in plan.runs)
    count = sum(each.submitted or 0 for each in submitted)
    return Launched(settings.name, runs, count, unit="step")


def avoiding(settings: Settings, say: Say) -> Settings:
    """Return settings whose farm keeps jobs from machines on which runs fail at once."""
    if settings.farm is None:
        return settings
    from runx.launching.jobs import avoiding

    return avoiding(settings, say)


def _check_program(settings: Settings) -> None:
    """Raise SettingsError if the program that submits is not installed."""
    if not settings.farm:
        return
    from runx.farms.commands import missing_program

    if problem := missing_program(settings.farm, os.environ):
        raise SettingsError(problem)


def job_ids_of(settings: Settings, after: Sequence[str], say: Say) -> dict[Wait, RunDir]:
    """Return the runs that a launch waits for, by what of their farm it waits for.

    Runs here wait for none: their launcher does.
    """
    names: dict[str, When] = {**settings.after, **dict.fromkeys(after, "done")}
    if not names:
        return {}
    from runx.launching.after import awaited, job_ids

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if settings.farm is None:
        awaited(names, settings.logroot, Path.cwd(), warn)
        return {}
    return job_ids(names, settings.logroot, Path.cwd(), settings.farm, warn)


def _wait_here(settings: Settings, after: Sequence[str], say: Say) -> None:
    """Wait for what runs here are after."""
    names: dict[str, When] = {**settings.after, **dict.fromkeys(after, "done")}
    if names:
        from runx.launching.after import wait_here

        wait_here(names, settings.logroot, Path.cwd(), say)


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
    wanted = Wanted(needs, shared, settings.gpus, most, local, sets_threads, limits, priority)
    return capacity(wanted, os.environ, say)


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
        return crowding(settings, capacity_of(settings, local, runs, _ignore).jobs)
    except SettingsError:
        return ""  # What is lacking here is said elsewhere.


def needs_of(settings: Settings, runs: Sequence[Run]) -> list[Needs]:
    """Return what each run needs; those without RESOURCES of their own need the same."""
    from runx.farms.resources import needs
    from runx.launching.plan import resources_of

    limits = settings.limits
    if settings.steps:
        from runx.launching.step_places import steps_here

        runs = steps_here(settings, runs)
        return [needs(resources_of(settings, run), limits) for run in runs]
    shared = needs(settings.resources, limits)
    return [
        needs(resources_of(settings, run), limits) if run.point.resources else shared
        for run in runs
    ]


def _try(settings: Settings, plan: LaunchPlan, local: LocalOptions, caller: Caller) -> bool:
    """Submit, or execute to its end, the one run of a plan; return whether a person stopped it."""
    _check_program(settings)
    if settings.farm:
        _submit(plan, {}, caller)
        return False
    capacity = capacity_of(settings, local, plan.runs, _ignore)
    return _execute(settings, plan, local, capacity, caller).stopped


def _execute(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    capacity: Capacity,
    caller: Caller,
) -> Launched:
    """Execute every run of a launch on this machine, each to its end."""
    from runx.api.guards import closing, policy, tried_before
    from runx.api.notifier import Notifier
    from runx.local.capacity import WHOLE, Share
    from runx.local.claiming import claimed, withdraw
    from runx.local.executor import Executor
    from runx.local.process import Heartbeat
    from runx.local.tasks import Task
    from runx.local.waiting import note_of

    adopted = () if local.attach else plan.adopted
    hparams = _hparams(plan.runs, adopted)
    commands = _commands(settings, plan.runs)
    watcher = caller.watcher(len(hparams), capacity.jobs, commands, local)
    launch = plan.context.launch if plan.context else None
    notifier = Notifier(settings.dir, launch or "", settings.notify, caller.say)
    executor = Executor(
        policy(settings, local, capacity.jobs),
        capacity.devices,
        lambda task: claimed(task, caller.say, launch),
        watcher,
        capacity.counts,
        note_of(settings.dir.launch_waits(launch) if launch else None),
        heartbeat=Heartbeat(settings.dir.launch_lock(launch) if launch else None),
        closing=closing(settings),
        on_end=notifier.ended,
    )
    needs = needs_of(settings, plan.runs)
    _record(settings, plan, capacity)

    def task(
        run: RunDir, attempt: int, share: Share = WHOLE, after: tuple[Predecessor, ...] = ()
    ) -> Task:
        return Task(run, attempt, 0, share, after, tried_before(run, attempt, settings, local))

    tasks = [
        task(planned.run.dir, planned.attempt, capacity.share(need), planned.run.after)
        for planned, need in zip(plan.attempts, needs, strict=True)
    ]
    try:
        executor.execute(tasks, (task(run.dir, run.attempts) for run in adopted))
    finally:
        capacity.counts.wait_for(())
        withdraw(tasks, launch)
    notifier.finish(executor.stops > 0)
    dirs = tuple(dict.fromkeys([*hparams, *(run.dir for run in plan.adopted)]))
    left = _states([task.run for task in executor.left], caller.say)
    stopped = executor.stops > 0
    if executor.outcomes:
        for line in executor.outcomes.blocked_lines(executor.blocked):
            caller.say(line)
    unit = "step" if settings.steps else "run"
    return Launched(settings.name, dirs, None, hparams, executor.ended, left, stopped, unit)


def _commands(settings: Settings, runs: Sequence[Run]) -> dict[RunDir, str]:
    """Return the commands of runs, or of steps, with the paths of their directories."""
    if settings.search is not None:
        from runx.launching.preview import as_shown

        runs = as_shown(settings, runs)
    if settings.steps:
        from runx.rundir.step_command import step_command

        return {run.dir: step_command(run, settings.style) for run in runs}
    from runx.rundir.argv import shell_command
    from runx.rundir.logdir import Logdir

    return {
        run.dir: shell_command(settings.cmd, run.point, Logdir.at(run.dir), settings.style)
        for run in runs
    }


def _states(runs: Sequence[RunDir], say: Say) -> dict[RunDir, State]:
    """Return how runs stand that others have taken."""
    from runx.rundir.attempts import attempts_of
    from runx.rundir.state import state

    return {run: state(attempts) for run, attempts in attempts_of(runs, say).items()}


def _record(settings: Settings, plan: LaunchPlan, capacity: Capacity) -> None:
    """Write down what of this machine the runs of a launch get."""
    from runx.rundir.files import to_json, write_whole

    if plan.context is not None:
        content = {"jobs": capacity.jobs, "threads": capacity.threads}
        write_whole(settings.dir.launches / plan.context.launch / "here.json", to_json(content))


def _hparams(
    runs: Sequence[Run], adopted: Sequence[ExistingRun]
) -> dict[RunDir, Mapping[str, Any]]:
    """Return the hyperparameters of the runs that start, and of those that go on."""
    from runx.rundir.logdir import Logdir
    from runx.rundir.record import read_or_empty

    hparams = {run.dir: Logdir.at(run.dir).in_value(_own_hparams(run)) for run in runs}
    return hparams | {
        run.dir: read_or_empty(run.dir.record, _ignore).get("hparams", {}) for run in adopted
    }


def _own_hparams(run: Run) -> dict[str, Any]:
    """Return the hyperparameters of a run, or those of a step without directories of others."""
    if run.step is None:
        return dict(run.hparams)
    from runx.rundir.step_command import is_directory

    return {each.name: each.value for each in run.point.hparams if not is_directory(each)}


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""


def _submit(plan: LaunchPlan, after: Mapping[Wait, RunDir], caller: Caller) -> Launched:
    """Submit every run of a launch to its farm; ``after`` are the runs that they wait for."""
    from runx.api.notifier import announce
    from runx.farms.jobfiles import write_predecessors
    from runx.farms.submit import submit
    from runx.farms.visibility import unseen_warning
    from runx.launching.create import disk_errors
    from runx.launching.jobs import job_specs, places_of_earlier
    from runx.launching.support import retry_notes

    context = plan.context
    assert context is not None  # a plan without one has only runs that go on here
    experiment = avoiding(context.experiment, caller.say)
    farm = experiment.farm
    assert farm is not None
    folder = experiment.dir.jobs(context.launch)
    jobs = job_specs(experiment, plan.attempts)
    if warning := unseen_warning(experiment.dir.path.parent, farm):
        caller.say(f"warning: {warning}")
    for note in retry_notes(farm):
        caller.say(f"note: {note}")
    # A SUBMIT_CMD is shown before it is executed: it may well execute the run itself.
    show = caller.echo if farm.submit_cmd else None
    if after:
        write_predecessors(folder, after.values())
    places = places_of_earlier(plan.attempts, farm, caller.say) if experiment.steps else {}
    with disk_errors(experiment.dir.path):
        try:
            count = submit(farm, jobs, folder, context.code, caller.say, tuple(after), show, places)
        finally:
            announce(experiment.dir, context.launch, experiment.notify, caller.say)
    return Launched(experiment.name, tuple(run.dir for run in plan.runs), count)
