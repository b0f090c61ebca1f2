"""Where the steps of a plan are executed: here, at launch, or at the farms that they name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache

from runx.config.experiment import LOCAL
from runx.launching.plan import LaunchPlan, PlannedAttempt
from runx.launching.step_routes import by_place
from runx.launching.targets import experiments_at
from runx.nearest import first_of
from runx.rundir.attempts import read_attempts
from runx.rundir.paths import RunDir
from runx.rundir.states import ENDED_WELL
from runx.rundir.step_states import step_state

Say = Callable[[str], None]


def placed(plan: LaunchPlan) -> tuple[LaunchPlan, list[LaunchPlan]]:
    """Return the part of a plan that is executed here, and that of each farm."""
    context = plan.context
    if context is None:
        return plan, []
    found, at = by_place(context.experiment, plan.attempts), experiments_at(context.experiment)
    here = plan._replace(attempts=tuple(found.pop(LOCAL, ())))
    parts = [
        plan._replace(
            attempts=tuple(attempts), adopted=(), context=replace(context, experiment=at[name])
        )
        for name, attempts in found.items()
    ]
    return here, parts


def free_of(here: LaunchPlan, parts: Sequence[LaunchPlan]) -> tuple[list[LaunchPlan], ...]:
    """Return the parts of which no step waits for one here, and the others."""
    own = {each.run.dir for each in here.attempts}
    waiting = [
        any(before.dir in own for each in part.attempts for before in each.run.after)
        for part in parts
    ]
    pairs = list(zip(parts, waiting, strict=True))
    return [part for part, waits in pairs if not waits], [part for part, waits in pairs if waits]


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
