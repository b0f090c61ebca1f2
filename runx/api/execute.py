"""Executing the runs of a launch on this machine, each to its end."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runx.api.launched import Caller, Launched
from runx.api.prepared import needs_of
from runx.api.printing import Say
from runx.config.experiment import LOCAL
from runx.config.experiment import Experiment as Settings
from runx.launching.plan import ExistingRun, LaunchPlan
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.steps import Predecessor

if TYPE_CHECKING:
    from runx.local.capacity import Capacity
    from runx.rundir.state import State


def execute(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    capacity: Capacity,
    caller: Caller,
) -> Launched:
    """Execute every run of a launch on this machine, each to its end.

    ``settings`` are those of the launch, whose runs may go elsewhere, too.
    """
    from runx.api.guards import closing, policy, renewed, resized, tried_before
    from runx.api.notifier import Notifier
    from runx.launching.targets import experiments_at
    from runx.local.capacity import THREADS, WHOLE, Share
    from runx.local.claiming import claimed, withdraw
    from runx.local.executor import Executor
    from runx.local.process import Heartbeat
    from runx.local.tasks import Task
    from runx.local.waiting import note_of

    own = plan.context.experiment if plan.context else settings
    if settings.steps or plan.context is None:
        own = experiments_at(settings)[LOCAL]
    adopted = () if local.attach else plan.adopted
    hparams = _hparams(plan.runs, adopted)
    commands = _commands(own, plan.runs)
    if capacity.threads and min(capacity.jobs, len(plan.attempts)) > 1:
        line = f"{THREADS}={capacity.threads} for each run, by cores / runs; ENV sets another"
        caller.say(line)
    watcher = caller.watcher(len(hparams), capacity.jobs, commands, local)
    launch = plan.context.launch if plan.context else None
    notifier = Notifier(own.dir, launch or "", own.notify, caller.say)
    executor = Executor(
        policy(own, local, capacity.jobs),
        capacity.devices,
        lambda task: claimed(task, caller.say, launch),
        watcher,
        capacity.counts,
        note_of(own.dir.launch_waits(launch) if launch else None),
        heartbeat=Heartbeat(own.dir.launch_lock(launch) if launch else None),
        closing=closing(own),
        on_end=notifier.ended,
        renewed=functools.partial(renewed, settings, plan, local, capacity),
        resized=resized(own, plan, local, caller.say),
    )
    needs = needs_of(own, plan.runs)
    _record(own, plan, capacity)

    def task(
        run: RunDir, attempt: int, share: Share = WHOLE, after: tuple[Predecessor, ...] = ()
    ) -> Task:
        return Task(run, attempt, 0, share, after, tried_before(run, attempt, own, local))

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
    unit = "step" if own.steps else "run"
    return Launched(own.name, dirs, None, hparams, executor.ended, left, stopped, unit)


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
        run.dir: read_or_empty(run.dir.record, lambda _: None).get("hparams", {}) for run in adopted
    }


def _own_hparams(run: Run) -> dict[str, Any]:
    """Return the hyperparameters of a run, or those of a step without directories of others."""
    if run.step is None:
        return dict(run.hparams)
    from runx.rundir.step_command import is_directory

    return {each.name: each.value for each in run.point.hparams if not is_directory(each)}
