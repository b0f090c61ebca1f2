"""The states of a run's steps, and the state of the run that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runx.rundir.attempts import NO_STATUSES, Attempts, JobStatuses, current_state, status_of
from runx.rundir.events import DEPENDENCY, Attempt, JobStatus
from runx.rundir.paths import STEPS, RunDir
from runx.rundir.state import ENDED_BADLY, State, state
from runx.rundir.states import AFTER, PASSED
from runx.rundir.steps import When

BAD = frozenset({*ENDED_BADLY, "cancelled", "blocked"})
"""States of steps after which those that need them done never start."""
_IDLE = ("planned", "blocked", "cancelled")


class StepEntry(NamedTuple):
    """A step as run.json of its run has it: its name, its directory, and what it is after."""

    name: str
    dir: RunDir
    after: Mapping[str, When]
    is_own: bool


def step_entries(run: RunDir, record: Mapping[str, Any]) -> list[StepEntry]:
    """Return the steps that a run needs, in order, by its run.json; none where it has no STEPS."""
    entries = record.get("steps")
    found = []
    for each in entries if isinstance(entries, list) else ():
        if not isinstance(each, dict) or not {"name", "dir"} <= each.keys():
            continue
        name, path = str(each["name"]), str(each["dir"])
        dir = RunDir(os.path.normpath(f"{os.fspath(run)}/{path}"))
        found.append(StepEntry(name, dir, each.get("after", {}), path.startswith(f"{STEPS}/")))
    return found


def begun(attempts: Iterable[Attempt]) -> int:
    """Return the number of the last attempt that has begun, 0 where none has."""
    return max((each.number for each in attempts if each.events), default=0)


def counted(attempts: Attempts) -> Attempts:
    """Return those attempts of a step that count: of one that was done and ran again, the later.

    A run that was done once is done. A step runs again after that on purpose: since what it is
    after did, or its command is another one.
    """
    done = [each.number for each in attempts if _is_done(each)]
    later = tuple(each for each in attempts if done and each.number > done[-1])
    return later if later and state(later).name != "planned" else attempts


def _is_done(attempt: Attempt) -> bool:
    end = attempt.event("ended")
    details = end.details if end is not None else {}
    return details.get("code") == 0 and not any(name in details for name in PASSED)


def step_state(attempts: Attempts, status: JobStatus | None = None) -> State:
    """Return the state of a step by its own files and the status of its job."""
    return state(counted(attempts), status)


def is_stale(attempts: Attempts, before: int) -> bool:
    """Return whether a step that is done ran before what it is after ran for the last time.

    ``before`` is the sum of the numbers of the last attempts of these.
    """
    starts = [each.event("started") for each in attempts if _is_done(each)]
    after = starts[-1].details.get("after") if starts and starts[-1] else None
    return isinstance(after, int) and before > after


def derived(
    own: State,
    before: Mapping[str, State],
    after: Mapping[str, When],
    stale: bool,
    is_own: bool = True,
) -> State:
    """Return the state of a step, given its own and the states of what it is after, by name.

    What a run has for itself (``is_own``) is passed over where a step before was; what gathers
    runs goes on with the others.
    """
    if own.name in PASSED and own.reason.startswith(AFTER):
        own = State("planned", attempt=own.attempt)
    if own.name == "done" and stale:
        return State("planned", "what it is after ran again", attempt=own.attempt)
    if own.name not in _IDLE or (own.name == "cancelled" and own.reason != DEPENDENCY):
        return own
    for name, when in after.items():
        standing = before.get(name)
        if when == "done" and standing is not None and standing.name in PASSED and is_own:
            reason = f"{AFTER}{name.rpartition('/')[2]}"
            return State(standing.name, reason, attempt=own.attempt)
        if when == "done" and standing is not None and standing.name in BAD:
            reason = f"{name} {standing.name}"
            if standing.name == "blocked" and standing.reason:
                reason = standing.reason
            return State("blocked", reason, attempt=own.attempt)
    return State("planned", attempt=own.attempt) if own.name == "blocked" else own


def current_step_state(
    step: RunDir, attempts: Attempts, statuses: JobStatuses, now: Callable[[], float]
) -> tuple[State, Attempts]:
    """Return the state of a step as ``current_state`` does that of a run, and what counts of it."""
    _, attempts = current_state(step, counted(attempts), statuses, now)
    attempts = counted(attempts)
    return state(attempts, status_of(step, attempts, statuses)), attempts


ReadStep = Callable[[RunDir], Attempts]


def step_states(
    entries: Sequence[StepEntry],
    read: ReadStep,
    now: Callable[[], float],
    statuses: JobStatuses = NO_STATUSES,
) -> dict[str, State]:
    """Return the states of a run's steps by their names. ``read`` returns attempts of a step."""
    states: dict[str, State] = {}
    numbers: dict[str, int] = {}
    for entry in entries:
        own, attempts = current_step_state(entry.dir, read(entry.dir), statuses, now)
        numbers[entry.name] = begun(attempts)
        stale = is_stale(attempts, sum(numbers.get(name, 0) for name in entry.after))
        states[entry.name] = derived(own, states, entry.after, stale, entry.is_own)
    return states


def run_state(entries: Sequence[StepEntry], states: Mapping[str, State]) -> State:
    """Return the state of a run by those of its own steps.

    It runs, or is queued, while one of them does; it is done when all are; else the first that
    isn't decides, with its name in the reason.

    >>> entries = [StepEntry(name, RunDir(name), {}, True) for name in ("train", "eval")]
    >>> states = {"train": State("done"), "eval": State("failed", "exit status 1")}
    >>> print(run_state(entries, states))
    failed (eval: exit status 1)
    """
    own = {entry.name: states[entry.name] for entry in entries if entry.is_own}
    if not own:
        return State("planned")
    for name in ("running", "queued"):
        for step, each in own.items():
            if each.name == name:
                return each._replace(reason=_reason(step, each))
    undone = {step: each for step, each in own.items() if each.name != "done"}
    if not undone:
        return State(
            "done", code=0, attempt=max((each.attempt for each in own.values()), default=0)
        )
    first = next((item for item in undone.items() if item[1].name in ENDED_BADLY), None)
    step, each = first or next(iter(undone.items()))
    if each.name == "planned" and len(undone) == len(own) and not each.reason:
        return State("planned")
    return each if each.name == "blocked" else each._replace(reason=_reason(step, each))


def _reason(step: str, state: State) -> str:
    return f"{step}: {state.reason}" if state.reason else step
