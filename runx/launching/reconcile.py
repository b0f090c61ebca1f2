"""Planned runs matched with those that exist already. Pure."""

from __future__ import annotations

import os
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Sequence

from runx.launching.plan import NEW, RETRIED, SETTLED, ExistingRun, LaunchPlan, PlannedAttempt
from runx.rundir.run import Run
from runx.rundir.state import STATES, UNKNOWN

_ORDER = (*SETTLED, *(name for name in STATES if name not in (*SETTLED, "planned")))


def reconcile(
    planned: Iterable[tuple[str, Run]],
    existing: Sequence[ExistingRun],
    retried: Collection[str] = RETRIED,
) -> LaunchPlan:
    """Match each planned run, with its identity before it, with an existing one, one to one.

    Of equal runs those that need no start are matched first, then those nearest to an end.
    """
    unmatched: dict[str, deque[ExistingRun]] = defaultdict(deque)
    for each in sorted(existing, key=lambda each: (_rank(each.state.name), os.fspath(each.dir))):
        unmatched[each.id].append(each)
    wanted = set()
    new: list[PlannedAttempt] = []
    restarted: list[PlannedAttempt] = []
    left: list[ExistingRun] = []
    for key, run in planned:
        wanted.add(key)
        match = unmatched[key].popleft() if unmatched.get(key) else None
        if match is None:
            new.append(PlannedAttempt(run))
        elif match.state.name in retried or (match.waits and "planned" in retried):
            same = Run(match.dir.path.name, match.dir, run.point)
            state = match.state.name
            restarted.append(PlannedAttempt(same, match.attempts + 1, state, match.waits))
        else:
            left.append(match)
    gone = [each for key, rest in unmatched.items() if key not in wanted for each in rest]
    return LaunchPlan((*restarted, *(new if NEW in retried else ())), tuple(left), tuple(gone))


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


def summary(plan: LaunchPlan) -> str:
    """Return one line on what will be done.

    >>> summary(LaunchPlan(()))
    'nothing is planned: starting 0'
    """
    counts = Counter(attempt.state for attempt in plan.attempts)
    counts.update(run.state.name for run in plan.left)
    parts = [f"{counts[name]} {name}" for name in (*STATES, UNKNOWN, NEW) if counts[name]]
    line = f"{', '.join(parts) or 'nothing is planned'}: starting {len(plan.attempts)}"
    if plan.gone:
        line += f"; {len(plan.gone)} no longer in the sweep, left alone"
    if shared := sum(attempt.is_shared for attempt in plan.attempts):
        line += f"; {shared} of them wait in another launcher, too: whoever is free first takes one"
    return line
