"""Executing the runs of a launch on this machine, each to its end."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.api.launched import Caller, Launched
from runx.api.prepared import needs_of
from runx.api.printing import Say
from runx.config.experiment import LOCAL
from runx.config.experiment import Experiment as Settings
from runx.launching.plan import ExistingRun, LaunchPlan
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.api.notifier import Notifier
    from runx.local.capacity import Capacity
    from runx.local.executor import Executor
    from runx.local.tasks import Task, Watcher
    from runx.rundir.state import State


class _Here(NamedTuple):
    """What is executed here: the settings of its launch, its ``own``, and what it gets."""

    settings: Settings
    own: Settings
    plan: LaunchPlan
    local: LocalOptions
    capacity: Capacity

    @property
    def launch(self) -> str | None:
        """The launch that made runs or began attempts, None where runs only go on."""
        return self.plan.context.launch if self.plan.context else None


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
    from runx.api.notifier import Notifier
    from runx.local.claiming import withdraw

    here = _Here(settings, _settings_here(settings, plan), plan, local, capacity)
    adopted = () if local.attach else plan.adopted
    hparams = _hparams(plan.runs, adopted)
    watcher = _watcher(here, len(hparams), caller)
    notifier = Notifier(here.own.dir, here.launch or "", here.own.notify, caller.say)
    executor = _executor(here, watcher, notifier, caller.say)
    tasks = _tasks(here)
    _record(here)
    try:
        executor.execute(tasks, (_task(here, run.dir, run.attempts) for run in adopted))
    finally:
        capacity.counts.wait_for(())
        executed = {end.task.run for end in executor.ended if not end.order}
        withdraw((task for task in tasks if task.run not in executed), here.launch)
    notifier.finish(executor.stops > 0)
    return _launched(here, hparams, executor, caller.say)


def _settings_here(settings: Settings, plan: LaunchPlan) -> Settings:
    """Return the settings of those runs of a launch that are executed on this machine."""
    from runx.launching.targets import experiments_at

    if settings.steps or plan.context is None:
        return experiments_at(settings)[LOCAL]
    return plan.context.experiment


def _watcher(here: _Here, count: int, caller: Caller) -> Watcher:
    """Return what shows runs here, ``count`` with those that go on; say what each may use."""
    from runx.local.capacity import THREADS

    threads, jobs = here.capacity.threads, here.capacity.jobs
    if threads and min(jobs, len(here.plan.attempts)) > 1:
        caller.say(f"{THREADS}={threads} for each run, by cores / runs; ENV sets another")
    return caller.watcher(count, jobs, _commands(here.own, here.plan.runs), here.local)


def _executor(here: _Here, watcher: Watcher, notifier: Notifier, say: Say) -> Executor:
    """Return what executes runs here, as the settings say."""
    from runx.api.guards import closing, policy, renewed, resized
    from runx.local.claiming import claimed
    from runx.local.executor import Executor
    from runx.local.process import Heartbeat
    from runx.local.waiting import note_of

    settings, own, plan, local, capacity = here
    launch = here.launch
    return Executor(
        policy(own, local, capacity.jobs),
        capacity.devices,
        lambda task: claimed(task, say, launch),
        watcher,
        capacity.counts,
        note_of(own.dir.launch_waits(launch) if launch else None),
        heartbeat=Heartbeat(own.dir.launch_lock(launch) if launch else None),
        closing=closing(own),
        on_end=notifier.ended,
        renewed=functools.partial(renewed, settings, plan, local, capacity),
        resized=resized(own, plan, local, say),
    )


def _tasks(here: _Here) -> list[Task]:
    """Return the attempts to execute, each with its share of this machine."""
    needs = needs_of(here.own, here.plan.runs)
    return [
        _task(here, planned.run.dir, planned.attempt)._replace(
            share=here.capacity.share(need), after=planned.run.after
        )
        for planned, need in zip(here.plan.attempts, needs, strict=True)
    ]


def _task(here: _Here, run: RunDir, attempt: int) -> Task:
    from runx.api.guards import tried_before
    from runx.local.tasks import Task

    return Task(run, attempt, before=tried_before(run, attempt, here.own, here.local))


def _launched(
    here: _Here, hparams: Mapping[RunDir, Mapping[str, Any]], executor: Executor, say: Say
) -> Launched:
    """Return what came of runs here; say which steps were never started, and why."""
    dirs = tuple(dict.fromkeys([*hparams, *(run.dir for run in here.plan.adopted)]))
    left = _states([task.run for task in executor.left], say)
    if executor.outcomes:
        for line in executor.outcomes.blocked_lines(executor.blocked):
            say(line)
    stopped, unit = executor.stops > 0, "step" if here.own.steps else "run"
    return Launched(here.own.name, dirs, None, hparams, executor.ended, left, stopped, unit)


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


def _record(here: _Here) -> None:
    """Write down what of this machine the runs of a launch get."""
    from runx.rundir.files import to_json, write_whole

    if here.launch:
        content = {"jobs": here.capacity.jobs, "threads": here.capacity.threads}
        write_whole(here.own.dir.launches / here.launch / "here.json", to_json(content))


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
