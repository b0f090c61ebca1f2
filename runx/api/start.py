"""Launching runs: decide what starts, make the runs, execute them here or submit them to a farm."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from runx.api.execute import execute
from runx.api.launched import Caller, Launched, together, with_flag
from runx.api.prepared import Prepared, avoiding, capacity_of, check_program, prepared, prepared_at
from runx.config.experiment import LOCAL
from runx.config.experiment import Experiment as Settings
from runx.launching.plan import LaunchOptions, LaunchPlan, Namer
from runx.local.options import LocalOptions
from runx.rundir.paths import RunDir
from runx.rundir.run import Run

if TYPE_CHECKING:
    from runx.api.printing import Say
    from runx.farms.base import Farm, Wait


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
    from runx.local.signals import interruptible

    settings = with_flag(settings, local)
    ready = prepared(settings, runs, local, after, caller.say)
    with interruptible(caller.go_on):
        _try_first(settings, runs, options, local, caller)
        plans = _created(settings, runs, new_name, options, caller)
    launched = []
    try:
        for plan in plans:
            launched += _carried_out(settings, plan, local, ready, after, caller)
    finally:
        for plan in plans:
            if plan.context and plan.context.lock is not None:
                os.close(plan.context.lock)
    return functools.reduce(together, launched) if launched else None


def _try_first(
    settings: Settings,
    runs: Sequence[Run],
    options: LaunchOptions,
    local: LocalOptions,
    caller: Caller,
) -> None:
    """Try the first run where SMOKE says so."""
    if settings.smoke and caller.elsewhere:
        from runx.api.smoke import try_first

        try_first(settings, runs, options, local, caller, _try)


def _created(
    settings: Settings,
    runs: Sequence[Run],
    new_name: Namer,
    options: LaunchOptions,
    caller: Caller,
) -> list[LaunchPlan]:
    """Make the runs that start; return a plan for each place, that of runs here last.

    Runs here keep this process until they have ended.
    """
    from runx.launching.create import create_runs

    make_steps: Callable[..., LaunchPlan | None] | None = None
    if settings.steps:
        from runx.launching.create_steps import create_steps

        make_steps = create_steps
    say, argv, ask = caller.say, caller.argv, caller.ask
    plans = create_runs(settings, runs, new_name, options, say, argv, ask, make_steps)
    return sorted(plans, key=lambda plan: not (plan.context and plan.context.experiment.farm))


def _carried_out(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    ready: Mapping[str, Prepared],
    after: Sequence[str],
    caller: Caller,
) -> list[Launched]:
    """Submit the runs of a plan, or execute them here to their ends."""
    if settings.steps:
        return _start_placed(settings, plan, local, ready, after, caller)
    own = plan.context.experiment if plan.context else settings
    way = ready.get(own.place) or prepared_at(own, plan.runs, local, after, caller.say)
    if way.capacity is None:
        return [_submit(plan, way.predecessors, caller)]
    if caller.begun:
        caller.begun(plan)
    return [execute(settings, plan, local, way.capacity, caller)]


def _start_placed(
    settings: Settings,
    plan: LaunchPlan,
    local: LocalOptions,
    ready: Mapping[str, Prepared],
    after: Sequence[str],
    caller: Caller,
) -> list[Launched]:
    """Submit the steps that wait for none here, execute those here, then submit the others."""
    from runx.launching.step_places import free_of, placed, with_done
    from runx.launching.targets import experiments_at

    here, parts = placed(plan)
    ways = dict(ready)
    at = {LOCAL: here} if here.attempts or here.adopted else {}
    at |= {part.context.experiment.place: part for part in parts if part.context}
    for place in at.keys() - ways.keys():
        there = experiments_at(settings)[place]
        ways[place] = prepared_at(there, at[place].runs, local, after, caller.say)
    first, waiting = free_of(here, parts) if here.attempts else (parts, [])
    launched = [_submitted(part, ways, caller) for part in first]
    if here.attempts or here.adopted:
        if caller.begun:
            caller.begun(here)
        capacity = ways[LOCAL].capacity
        assert capacity is not None
        ended = execute(settings, here, local, capacity, caller)
        waiting = [] if ended.stopped else with_done(waiting, caller.say)
        others = [_submitted(part, ways, caller) for part in waiting]
        if others and not any(end.status for end in ended.ended):
            return [*launched, *others]  # What was made here was for them.
        launched += [ended, *others]
    return launched


def _submitted(part: LaunchPlan, ways: Mapping[str, Prepared], caller: Caller) -> Launched:
    assert part.context is not None
    launched = _submit(part, ways[part.context.experiment.place].predecessors, caller)
    return launched._replace(unit="step")


def _try(settings: Settings, plan: LaunchPlan, local: LocalOptions, caller: Caller) -> bool:
    """Submit, or execute to its end, the one run of a plan; return whether a person stopped it."""
    if settings.steps:
        return any(each.stopped for each in _start_placed(settings, plan, local, {}, (), caller))
    check_program(settings)
    if settings.farm:
        _submit(plan, {}, caller)
        return False
    capacity = capacity_of(settings, local, plan.runs, _ignore)
    return execute(settings, plan, local, capacity, caller).stopped


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""


def _submit(plan: LaunchPlan, after: Mapping[Wait, RunDir], caller: Caller) -> Launched:
    """Submit every run of a launch to its farm; ``after`` are the runs that they wait for."""
    from runx.api.notifier import announce
    from runx.farms.jobfiles import write_predecessors
    from runx.farms.submit import submit
    from runx.launching.create import disk_errors
    from runx.launching.jobs import job_specs, places_of_earlier

    context = plan.context
    assert context is not None  # a plan without one has only runs that go on here
    experiment = avoiding(context.experiment, caller.say)
    farm = experiment.farm
    assert farm is not None
    folder = experiment.dir.jobs(context.launch)
    jobs = job_specs(experiment, plan.attempts)
    _note_farm(experiment, farm, caller.say)
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


def _note_farm(settings: Settings, farm: Farm, say: Say) -> None:
    """Print what people should know of a farm: whether it sees LOGROOT, what it does of retries."""
    from runx.farms.visibility import unseen_warning
    from runx.launching.support import retry_notes

    if warning := unseen_warning(settings.dir.path.parent, farm):
        say(f"warning: {warning}")
    for note in retry_notes(farm):
        say(f"note: {note}")
