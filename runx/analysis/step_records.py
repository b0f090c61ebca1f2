"""The steps of a run as they stand, read with it or asked of their farms."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from runx.rundir.attempts import (
    NO_STATUSES,
    Attempts,
    JobStatuses,
    clock,
    is_open,
    read_attempts,
)
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import read_or_empty
from runx.rundir.run import RunRecord, StepRecord
from runx.rundir.runfiles import RunFiles
from runx.rundir.state import State
from runx.rundir.step_states import BAD, StepEntry, run_state, step_entries, step_state, step_states
from runx.rundir.steps import When, shared_steps

Now = Callable[[], float]
Warn = Callable[[str], None]


def read_steps(
    run: RunDir, record: Mapping[str, Any], now: Now, warn: Warn, look: RunFiles
) -> tuple[StepRecord, ...]:
    """Return the steps that a run needs by their files, whose stamps are kept with the run's."""
    entries = step_entries(run, record)
    attempts: dict[RunDir, Attempts] = {}
    for entry in entries:
        inside = RunFiles(os.fspath(entry.dir))
        attempts[entry.dir] = read_attempts(entry.dir, now, warn, inside)
        look.include(inside, os.path.relpath(entry.dir, run))
    return _records(entries, attempts, now, NO_STATUSES)


def _records(
    entries: list[StepEntry],
    attempts: Mapping[RunDir, Attempts],
    now: Now,
    statuses: JobStatuses,
) -> tuple[StepRecord, ...]:
    states = step_states(entries, attempts.__getitem__, now, statuses)
    return tuple(
        StepRecord(*entry, status=states[entry.name], attempts=attempts[entry.dir])
        for entry in entries
    )


def state_of(steps: tuple[StepRecord, ...]) -> tuple[State, str, Attempts]:
    """Return the state that steps make of their run; the name and attempts of the one it is of."""
    status = run_state(_entries(steps), {step.name: step.status for step in steps})
    own = [step for step in steps if step.is_own]
    of = [step for step in own if step.status.name == status.name]
    decides = of[-1] if of and status.name == "done" else of[0] if of else None
    return (status, decides.name, decides.attempts) if decides else (status, "", ())


def _entries(steps: tuple[StepRecord, ...]) -> list[StepEntry]:
    return [StepEntry(step.name, step.dir, step.after, step.is_own) for step in steps]


def open_attempts(record: RunRecord) -> dict[RunDir, Attempts]:
    """Return the attempts of a run, or of its steps, of which a scheduler may have news."""
    if not record.steps:
        return {record.dir: record.attempts} if is_open(record.attempts) else {}
    return {step.dir: step.attempts for step in record.steps if is_open(step.attempts)}


def with_steps(record: RunRecord, statuses: JobStatuses, now: Now) -> RunRecord:
    """Return the record of a run with the states that its steps have by the statuses of jobs."""
    attempts = {step.dir: step.attempts for step in record.steps}
    steps = _records(_entries(record.steps), attempts, now, statuses)
    status, name, of = state_of(steps)
    return record._replace(steps=steps, status=status, step=name, attempts=of)


class Gatherer(NamedTuple):
    """A step that gathers runs, and that no run has among its own: how it stands by its files."""

    name: str
    after: Mapping[str, When]
    state: str


def gatherers(experiment: ExperimentDir, known: Collection[str], warn: Warn) -> Iterator[Gatherer]:
    """Yield the shared steps of an experiment but those that are ``known``, by their names."""
    states: dict[RunDir, str] = {}
    for place in shared_steps(experiment):
        record = read_or_empty(place.record, warn)
        name = str(record.get("step") or place.path.name)
        if name not in known:
            after = record.get("after")
            names = {_step_of(path): when for path, when in dict(after or {}).items()}
            yield Gatherer(name, names, _alone(place, states, clock(experiment.path), warn))


def _step_of(path: str) -> str:
    """Return the name of a step by the path of its directory, without reading that.

    >>> _step_of("../../wise-owl/steps/eval"), _step_of("../../wise-owl/../steps/tokens-1f")
    ('eval', 'tokens')
    """
    # No name of a step has a hyphen, and what is shared has one before its hash.
    return os.path.basename(path).partition("-")[0]  # noqa: PTH119


def gathering(experiment: ExperimentDir, known: Collection[str], warn: Warn) -> str:
    """Return how the steps stand that gather runs, which no run has among its own, "" for none.

    By their files alone: ``seeds: 3 done, 1 blocked; report: 1 planned``.
    """
    counts: dict[str, Counter[str]] = {}
    for each in gatherers(experiment, known, warn):
        counts.setdefault(each.name, Counter())[each.state] += 1
    return "; ".join(
        f"{name}: {', '.join(f'{many} {state}' for state, many in of.items())}"
        for name, of in counts.items()
    )


def _alone(place: RunDir, states: dict[RunDir, str], now: Now, warn: Warn) -> str:
    """Return the state of a step by its files and those of what it is after."""
    if place in states:
        return states[place]
    states[place] = "planned"  # should records name each other
    state = step_state(read_attempts(place, now, warn)).name
    after = read_or_empty(place.record, warn).get("after") if state == "planned" else None
    for other, when in after.items() if isinstance(after, dict) else ():
        before = RunDir(os.path.normpath(f"{os.fspath(place)}/{other}"))
        if when == "done" and _alone(before, states, now, warn) in BAD:
            state = "blocked"
            break
    states[place] = state
    return state
