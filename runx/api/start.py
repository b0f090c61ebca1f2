"""A launch: what starts is decided and made, then executed here or submitted to a farm."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config import experiment as decided
from runx.errors import SettingsError
from runx.launching.plan import LaunchOptions, LaunchPlan, Namer
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.local.executor import Ended, Right, Task, Watcher
    from runx.local.gpus import Devices


Say = Callable[[str], None]


MakeWatcher = Callable[[int, int, Mapping[RunDir, str], LocalOptions], "Watcher"]
"""Makes what shows runs here, of: how many they are, how many at a time, their commands."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who launches: ``argv`` is what was typed, ``go_on`` the command that goes on with it.

    ``say`` takes remarks, ``echo`` what is data: a command that submits.
    """

    say: Say
    echo: Say
    watcher: MakeWatcher
    argv: Sequence[str] = ()
    go_on: str = "launch(..., resume=True)"


class Launched(NamedTuple):
    """What a launch came to.

    ``runs`` are those that it started or went on with. On a farm ``submitted`` counts them, and the
    rest is empty; here it is None, ``hparams`` has every run, ``ended`` how they ended, ``left`` is
    how many were somebody else's, and ``stopped`` is true where a person stopped it.
    """

    experiment: str
    runs: tuple[RunDir, ...]
    submitted: int | None = None
    hparams: Mapping[RunDir, Mapping[str, Any]] = {}
    ended: Sequence[Ended] = ()
    left: int = 0
    stopped: bool = False


class Room(NamedTuple):
    """What there is for runs here: so many at a time, and devices for them."""

    jobs: int
    devices: Devices


def start(
    settings: decided.Experiment,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    local: LocalOptions,
    caller: Caller,
    after: Sequence[str] = (),
) -> Launched | None:
    """Decide what starts, freeze the code, make the runs, and execute or submit them.

    Return None where nothing starts.
    """
    from runx.launching.create import create_runs
    from runx.launching.preview import check_first
    from runx.local.signals import interruptible

    _check_program(settings)
    check_first(settings, runs)
    jobs = _awaited(settings, after, caller.say)
    if not settings.farm and local.is_fallback and "FARM" not in settings.settings:
        caller.say("no farm is set: running here, as with -i")
    there = None if settings.farm else room(settings, local)
    with interruptible(caller.go_on):
        plan = create_runs(settings, runs, new_name, options, caller.say, caller.argv)
    if plan is None:
        return None
    if there is None:
        return _submit(plan, jobs, caller)
    return _execute(settings, plan, local, there, caller)


def _check_program(settings: decided.Experiment) -> None:
    """Stop where the program that submits is not there, before anything is made."""
    if not settings.farm:
        return
    from runx.farms.submit import missing_program

    if problem := missing_program(settings.farm, os.environ):
        raise SettingsError(problem)


def _awaited(settings: decided.Experiment, after: Sequence[str], say: Say) -> tuple[str, ...]:
    """Return the jobs that the runs shall wait for."""
    if not after:
        return ()
    from runx.launching.jobs import job_ids

    def warn(line: str) -> None:
        say(f"warning: {line}")

    return job_ids(after, settings.logroot, Path.cwd(), settings.farm, warn)


def room(settings: decided.Experiment, local: LocalOptions) -> Room:
    """Return how many runs there is room for.

    Raises:
        SettingsError: The GPUs that are asked for are not there.
    """
    from runx.local.gpus import devices

    alone = local.jobs is None
    source, most = devices(settings.gpus, local.gpus_per_run, os.environ, alone)
    jobs = 1 if local.jobs is None else local.jobs or most or len(os.sched_getaffinity(0))
    return Room(jobs, source)


def _execute(
    settings: decided.Experiment,
    plan: LaunchPlan,
    local: LocalOptions,
    room: Room,
    caller: Caller,
) -> Launched:
    """Execute every run of a launch on this machine, each to its end."""
    from runx.local.executor import Executor, Policy, Task
    from runx.rundir.argv import shell_command
    from runx.rundir.files import read_json
    from runx.rundir.logdir import Logdir

    adopted = () if local.attach else plan.adopted
    hparams: dict[RunDir, Mapping[str, Any]] = {
        run.dir: Logdir.at(run.dir).in_value(run.hparams) for run in plan.runs
    }
    hparams |= {run.dir: read_json(run.dir.record)["hparams"] for run in adopted}
    commands = {
        run.dir: shell_command(settings.cmd, run.point, Logdir.at(run.dir), settings.style)
        for run in plan.runs
    }
    policy = Policy(
        jobs=room.jobs,
        retries=local.retries,
        timeout=local.timeout,
        grace=local.grace,
        max_failures=local.max_failures,
        attach=local.attach,
    )
    watcher = caller.watcher(len(hparams), room.jobs, commands, local)
    executor = Executor(policy, room.devices, lambda task: claimed(task, caller.say), watcher)
    executor.execute(
        (Task(run.dir, attempt) for run, attempt, _ in plan.attempts),
        (Task(run.dir, run.attempts) for run in adopted),
    )
    dirs = tuple(dict.fromkeys([*hparams, *(run.dir for run in plan.adopted)]))
    stopped = executor.stops > 0
    return Launched(settings.name, dirs, None, hparams, executor.ended, len(executor.left), stopped)


def claimed(task: Task, say: Say) -> Right:
    """Claim an attempt, unless it was called off or begun: a launch claims those that it starts.

    Nothing of the run is alive while this is asked. What was begun by hand meanwhile has taken
    this process's claim for its own, and left its events.
    """
    from runx.rundir.claims import claim_text, is_ours, take
    from runx.rundir.orders import CANCEL, ordered
    from runx.rundir.record import staged_code

    run, attempt = task.run, task.attempt

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if ordered(run, attempt, warn) == CANCEL:
        return "cancelled"
    if run.events(attempt).exists():
        return "theirs"
    if is_ours(run, attempt) or take(run, attempt, claim_text(None, staged_code(run))):
        return "ours"
    return "theirs"


def _submit(plan: LaunchPlan, after: tuple[str, ...], caller: Caller) -> Launched:
    """Submit every run of a launch to the farm."""
    from runx.farms.submit import submit
    from runx.launching.jobs import job_specs

    context = plan.context
    assert context is not None  # without one there is nothing but runs that go on here
    experiment, farm = context.experiment, context.experiment.farm
    assert farm is not None
    folder = experiment.dir.jobs(context.launch)
    jobs = job_specs(experiment, plan.attempts)
    # The user's own command is shown before it is executed; it may well execute the run.
    show = caller.echo if farm.submit_cmd else None
    count = submit(farm, jobs, folder, context.code, caller.say, after, show)
    return Launched(experiment.name, tuple(run.dir for run in plan.runs), count)
