"""Launching runs: decide what starts, make the runs, execute them here or submit them to a farm."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.api.caller import Caller, Launched
from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.errors import SettingsError
from runx.launching.plan import ExistingRun, LaunchOptions, LaunchPlan, Namer
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.farms.resources import Needs
    from runx.local.capacity import Capacity
    from runx.rundir.state import State


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
    from runx.launching.preview import check_first, starting
    from runx.local.signals import interruptible

    settings = _with_flag(settings, local)
    _check_program(settings)
    check_first(settings, runs)
    predecessors = job_ids_of(settings, after, caller.say)
    settings = avoiding(settings, caller.say)
    if not settings.farm and local.is_fallback and "FARM" not in settings.settings:
        caller.say("no farm is set: running here, as with -i")
    capacity = None if settings.farm else capacity_of(settings, local, runs, caller.say)
    if settings.smoke and caller.elsewhere:
        from runx.api.smoke import try_first

        with interruptible(caller.go_on):
            try_first(settings, starting(settings, runs, options, _ignore), local, caller, _try)
    with interruptible(caller.go_on):
        plan = create_runs(settings, runs, new_name, options, caller.say, caller.argv, caller.ask)
    if plan is None:
        return None
    if capacity is None:
        return _submit(plan, predecessors, caller)
    try:
        return _execute(settings, plan, local, capacity, caller)
    finally:
        if plan.context and plan.context.lock is not None:
            os.close(plan.context.lock)


def _with_flag(settings: Settings, local: LocalOptions) -> Settings:
    """Return settings with the GPUs of --gpus-per-run, which outweighs RESOURCES, for runs here."""
    count = local.gpus_per_run
    if settings.farm or count is None:
        return settings
    others = [each for each in settings.resources if each.name.lower() not in ("gpu", "gpus")]
    return settings._replace(resources=(*others, Hparam("gpus", count, str(count))))


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


def job_ids_of(settings: Settings, after: Sequence[str], say: Say) -> dict[str, RunDir]:
    """Return the runs that a launch waits for by the ids of their jobs."""
    if not after:
        return {}
    from runx.launching.jobs import job_ids

    def warn(line: str) -> None:
        say(f"warning: {line}")

    return job_ids(after, settings.logroot, Path.cwd(), settings.farm, warn)


def capacity_of(settings: Settings, local: LocalOptions, runs: Sequence[Run], say: Say) -> Capacity:
    """Return how many runs execute here at a time, and on which devices.

    Raises:
        SettingsError: This machine has less than a run needs.
    """
    from runx.farms.resources import needs as shared_needs
    from runx.local.capacity import THREADS, Wanted, capacity, unused

    needs = needs_of(settings, runs)
    if names := unused(set(needs)):
        say(f"note: RESOURCES: {', '.join(names)}: for a farm alone, not looked at here")
    sets_threads = THREADS in os.environ or THREADS in dict(settings.shell.environment)
    shared = shared_needs(settings.resources)
    wanted = Wanted(needs, shared, settings.gpus, settings.max_parallel, local, sets_threads)
    return capacity(wanted, os.environ, say)


def lack_of(settings: Settings, local: LocalOptions) -> str:
    """Return what this machine lacks for runs here that need no more than RESOURCES says."""
    from runx.farms.resources import needs
    from runx.local.capacity import Wanted, capacity

    need = needs(settings.resources) if settings.farm is None else None
    try:
        if need:
            wanted = Wanted([need], need, settings.gpus, options=local)
            capacity(wanted, os.environ, lambda line: None)
    except SettingsError as error:
        return str(error)
    return ""


def needs_of(settings: Settings, runs: Sequence[Run]) -> list[Needs]:
    """Return what each run needs; those without RESOURCES of their own need the same."""
    from runx.farms.resources import needs
    from runx.launching.plan import resources_of

    shared = needs(settings.resources)
    return [needs(resources_of(settings, run)) if run.point.resources else shared for run in runs]


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
    from runx.local.capacity import WHOLE, Share
    from runx.local.claiming import claimed, withdraw
    from runx.local.executor import Executor
    from runx.local.process import Heartbeat
    from runx.local.tasks import Task
    from runx.rundir.argv import shell_command
    from runx.rundir.logdir import Logdir

    adopted = () if local.attach else plan.adopted
    hparams = _hparams(plan.runs, adopted)
    commands = {
        run.dir: shell_command(settings.cmd, run.point, Logdir.at(run.dir), settings.style)
        for run in plan.runs
    }
    watcher = caller.watcher(len(hparams), capacity.jobs, commands, local)
    launch = plan.context.launch if plan.context else None
    executor = Executor(
        policy(settings, local, capacity.jobs),
        capacity.devices,
        lambda task: claimed(task, caller.say, launch),
        watcher,
        heartbeat=Heartbeat(settings.dir.launch_lock(launch) if launch else None),
        closing=closing(settings),
    )
    needs = needs_of(settings, plan.runs)
    _record(settings, plan, capacity)

    def task(run: RunDir, attempt: int, share: Share = WHOLE) -> Task:
        return Task(run, attempt, 0, share, tried_before(run, attempt, settings, local))

    tasks = [
        task(planned.run.dir, planned.attempt, capacity.share(need))
        for planned, need in zip(plan.attempts, needs, strict=True)
    ]
    try:
        executor.execute(tasks, (task(run.dir, run.attempts) for run in adopted))
    finally:
        withdraw(tasks, launch)
    dirs = tuple(dict.fromkeys([*hparams, *(run.dir for run in plan.adopted)]))
    left = _states([task.run for task in executor.left], caller.say)
    stopped = executor.stops > 0
    return Launched(settings.name, dirs, None, hparams, executor.ended, left, stopped)


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

    hparams = {run.dir: Logdir.at(run.dir).in_value(run.hparams) for run in runs}
    return hparams | {
        run.dir: read_or_empty(run.dir.record, _ignore).get("hparams", {}) for run in adopted
    }


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""


def _submit(plan: LaunchPlan, after: Mapping[str, RunDir], caller: Caller) -> Launched:
    """Submit every run of a launch to its farm; ``after`` are the runs that they wait for."""
    from runx.farms.jobfiles import write_predecessors
    from runx.farms.submit import submit
    from runx.farms.visibility import unseen_warning
    from runx.launching.create import disk_errors
    from runx.launching.jobs import job_specs
    from runx.launching.support import retry_notes

    context = plan.context
    assert context is not None  # a plan without one has only runs that go on here
    experiment, farm = context.experiment, context.experiment.farm
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
    with disk_errors(experiment.dir.path):
        count = submit(farm, jobs, folder, context.code, caller.say, tuple(after), show)
    return Launched(experiment.name, tuple(run.dir for run in plan.runs), count)
