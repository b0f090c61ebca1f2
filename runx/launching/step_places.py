"""Where the steps of a plan are executed: here, at launch, or at the farms that they name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache

from runx.config.experiment import LOCAL, Experiment
from runx.launching.graph import farm_of_step, step_runs
from runx.launching.plan import LaunchPlan, PlannedAttempt
from runx.nearest import first_of
from runx.rundir.attempts import read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.run import Run
from runx.rundir.states import ENDED_WELL
from runx.rundir.step_states import step_state

Say = Callable[[str], None]


def executes_here(experiment: Experiment) -> bool:
    """Return whether runs of an experiment, or some of their steps, are executed here."""
    return experiment.farm is None or any(step.farm == LOCAL for step in experiment.steps)


def steps_here(experiment: Experiment, runs: Sequence[Run]) -> list[Run]:
    """Return the steps of runs that would be executed here."""
    steps = runs if all(run.step for run in runs) else step_runs(experiment, runs).steps
    return [run for run in steps if run.step and farm_of_step(experiment, run.step) is None]


def placed(plan: LaunchPlan) -> tuple[LaunchPlan, list[LaunchPlan]]:
    """Return the part of a plan that is executed here, and that of each farm."""
    context = plan.context
    if context is None:
        return plan, []
    by_farm: dict[str, list[PlannedAttempt]] = {}
    farms = {}
    for each in plan.attempts:
        assert each.run.step is not None
        farm = farm_of_step(context.experiment, each.run.step)
        name = farm.name if farm else LOCAL
        by_farm.setdefault(name, []).append(each)
        farms[name] = farm
    here = plan._replace(attempts=tuple(by_farm.pop(LOCAL, ())))
    parts = [
        plan._replace(
            attempts=tuple(attempts),
            adopted=(),
            context=replace(context, experiment=context.experiment._replace(farm=farms[name])),
        )
        for name, attempts in by_farm.items()
    ]
    return here, parts


def with_done(parts: Iterable[LaunchPlan], say: Say) -> list[LaunchPlan]:
    """Return the plans of farms without the steps that wait for one here that isn't done.

    Nor those that wait for these.
    """
    left_out: dict[RunDir, None] = {}
    remaining = []

    @cache
    def is_missing(step: RunDir) -> bool:
        attempts = read_attempts(step, time.time, lambda _: None)
        return step_state(attempts).name not in ENDED_WELL and not any(
            each.farm for each in attempts
        )

    for part in parts:
        away = {each.run.dir for each in part.attempts}
        for each in _in_order(part.attempts):
            before = [before.dir for before in each.run.after if before.when == "done"]
            if any(dir in left_out or (dir not in away and is_missing(dir)) for dir in before):
                left_out[each.run.dir] = None
        kept = tuple(each for each in part.attempts if each.run.dir not in left_out)
        if kept:
            remaining.append(part._replace(attempts=kept))
    if left_out:
        names = [step.name for step in left_out]
        say(f"{first_of(names, most=1)}: not submitted: what it is after, here, isn't done")
    return remaining


def _in_order(attempts: Sequence[PlannedAttempt]) -> list[PlannedAttempt]:
    """Return attempts so that each step follows those that it is after."""
    ordered: dict[object, PlannedAttempt] = {}
    left = {each.run.dir: each for each in attempts}
    while left:
        ready = [
            each
            for each in left.values()
            if not any(before.dir in left for before in each.run.after)
        ]
        for each in ready:
            ordered[each.run.dir] = left.pop(each.run.dir)
    return list(ordered.values())
