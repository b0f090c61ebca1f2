"""Launching runs: decide what starts, make the runs, execute them here or submit them to a farm."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.printing import Say
from runx.config.experiment import Experiment as Settings
from runx.errors import SettingsError
from runx.launching.plan import ExistingRun, LaunchOptions, LaunchPlan, Namer
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.local.executor import ClaimResult, Policy
    from runx.local.gpus import Devices
    from runx.local.tasks import EndedAttempt, Task, Watcher

MakeWatcher = Callable[[int, int, Mapping[RunDir, str], LocalOptions], "Watcher"]
"""Makes what shows runs here, from the number of runs, how many run at a time, their commands."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a launch gets from its caller.

    ``say`` takes remarks, ``echo`` data: the commands that submit. ``argv`` is what was typed,
    ``go_on`` the command that goes on with a launch that was stopped.
    """

    say: Say
    echo: Say
    watcher: MakeWatcher
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"


class Launched(NamedTuple):
    """The outcome of a launch, and the runs that it started or went on with.

    On a farm ``submitted`` is their number, and the rest is empty. Here it is None, ``hparams`` has
    every run, ``ended`` the ends of attempts, ``left`` the number of runs that another process
    executes, and ``stopped`` is whether a person stopped the launch.
    """

    experiment: str
    runs: tuple[RunDir, ...]
    submitted: int | None = None
    hparams: Mapping[RunDir, Mapping[str, Any]] = {}
    ended: Sequence[EndedAttempt] = ()
    left: int = 0
    stopped: bool = False


class Capacity(NamedTuple):
    """How many runs this machine executes at a time, and the devices for them."""

    jobs: int
    devices: Devices


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
    from runx.launching.preview import check_first
    from runx.local.signals import interruptible

    _check_program(settings)
    check_first(settings, runs)
    predecessors = job_ids_of(settings, after, caller.say)
    if not settings.farm and local.is_fallback and "FARM" not in settings.settings:
        caller.say("no farm is set: running here, as with -i")
    capacity = None if settings.farm else capacity_of(settings, local)
    with interruptible(caller.go_on):
        plan = create_runs(settings, runs, new_name, options, caller.say, caller.argv)
    if plan is None:
        return None
    if capacity is None:
        return _submit(plan, predecessors, caller)
    return _execute(settings, plan, local, capacity, caller)


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


def capacity_of(settings: Settings, local: LocalOptions) -> Capacity:
    """Return how many runs execute here at a time, and on which devices.

    Raises:
        SettingsError: This machine has fewer GPUs than a run needs.
    """
    from runx.local.gpus import devices

    single = local.jobs is None
    source, most = devices(settings.gpus, local.gpus_per_run, os.environ, single)
    jobs = 1 if local.jobs is None else local.jobs or most or len(os.sched_getaffinity(0))
    return Capacity(jobs, source)


def _execute(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    capacity: Capacity,
    caller: Caller,
) -> Launched:
    """Execute every run of a launch on this machine, each to its end."""
    from runx.local.executor import Executor
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
    executor = Executor(
        _policy(local, capacity.jobs),
        capacity.devices,
        lambda task: claimed(task, caller.say),
        watcher,
    )
    executor.execute(
        (Task(run.dir, attempt) for run, attempt, _ in plan.attempts),
        (Task(run.dir, run.attempts) for run in adopted),
    )
    dirs = tuple(dict.fromkeys([*hparams, *(run.dir for run in plan.adopted)]))
    stopped = executor.stops > 0
    return Launched(settings.name, dirs, None, hparams, executor.ended, len(executor.left), stopped)


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


def _policy(local: LocalOptions, jobs: int) -> Policy:
    from runx.local.executor import Policy

    return Policy(
        jobs=jobs,
        retries=local.retries,
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )


def claimed(task: Task, say: Say) -> ClaimResult:
    """Claim an attempt if it is neither cancelled nor begun; return whose it is.

    It is called while no process of the run is alive. ``run.sh`` that was started by hand
    meanwhile takes over this process's claim, but it has written events.
    """
    from runx.rundir.claims import claim_text, is_ours, take
    from runx.rundir.orders import CANCEL, order_of
    from runx.rundir.record import staged_code

    run, attempt = task.run, task.attempt

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if order_of(run, attempt, warn) == CANCEL:
        return "cancelled"
    if run.events(attempt).exists():
        return "theirs"
    if is_ours(run, attempt) or take(run, attempt, claim_text(None, staged_code(run))):
        return "ours"
    return "theirs"


def _submit(plan: LaunchPlan, after: Mapping[str, RunDir], caller: Caller) -> Launched:
    """Submit every run of a launch to its farm; ``after`` are the runs that they wait for."""
    from runx.farms.jobfiles import write_predecessors
    from runx.farms.submit import submit
    from runx.farms.visibility import unseen_warning
    from runx.launching.create import disk_errors
    from runx.launching.jobs import job_specs

    context = plan.context
    assert context is not None  # a plan without one has only runs that go on here
    experiment, farm = context.experiment, context.experiment.farm
    assert farm is not None
    folder = experiment.dir.jobs(context.launch)
    jobs = job_specs(experiment, plan.attempts)
    if warning := unseen_warning(experiment.dir.path.parent, farm):
        caller.say(f"warning: {warning}")
    # A SUBMIT_CMD is shown before it is executed: it may well execute the run itself.
    show = caller.echo if farm.submit_cmd else None
    if after:
        write_predecessors(folder, after.values())
    with disk_errors(experiment.dir.path):
        count = submit(farm, jobs, folder, context.code, caller.say, tuple(after), show)
    return Launched(experiment.name, tuple(run.dir for run in plan.runs), count)
