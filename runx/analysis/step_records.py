"""The steps of a run as they stand, read with it or asked of their farms."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
_Records = Mapping[RunDir, Mapping[str, Any]]


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
    """Yield the shared steps of an experiment but those ``known`` by name, and the superseded."""
    return _gatherers(experiment, _newest(experiment, warn)[0], known, warn)


def _gatherers(
    experiment: ExperimentDir, records: _Records, known: Collection[str], warn: Warn
) -> Iterator[Gatherer]:
    states: dict[RunDir, str] = {}
    for place, record in records.items():
        name = _step_name(place, record)
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


def of_shared(experiment: ExperimentDir, known: Collection[str], warn: Warn) -> list[str]:
    """Return how the shared steps stand that no run has among its own, and which have newer ones.

    By their files alone: ``gathered by seeds: 3 done, 1 blocked; report: 1 planned``.
    """
    counts: dict[str, Counter[str]] = {}
    records, old = _newest(experiment, warn)
    for each in _gatherers(experiment, records, known, warn):
        counts.setdefault(each.name, Counter())[each.state] += 1
    gathered = "; ".join(
        f"{name}: {', '.join(f'{many} {state}' for state, many in of.items())}"
        for name, of in counts.items()
    )
    lines = [f"gathered by {gathered}"] if gathered else []
    if old:
        names = Counter(_step_name(place, record) for place, record in old.items())
        many = ", ".join(f"{count} {name}" for name, count in names.items())
        lines.append(f"superseded by newer shared steps: {many}")
    return lines


def _step_name(place: RunDir, record: Mapping[str, Any]) -> str:
    return str(record.get("step") or place.path.name)


def _newest(experiment: ExperimentDir, warn: Warn) -> tuple[_Records, _Records]:
    """Return the records of shared steps, and those with a newer one for the same runs, or more."""
    records = {place: read_or_empty(place.record, warn) for place in shared_steps(experiment)}
    newer: dict[str, list[set[str]]] = {}
    old = set()
    for place in sorted(records, key=lambda place: _created(records[place]), reverse=True):
        record = records[place]
        hparams, named = record.get("hparams"), record.get("runs")
        own = hparams.items() if isinstance(hparams, dict) else ()
        plain = {name: each for name, each in own if not _is_in_logdir(each)}
        key = f"{_step_name(place, record)} {json.dumps(plain, sort_keys=True)}"
        runs = {*map(str, named)} if isinstance(named, list) else set()
        if any(runs <= others for others in newer.get(key, ())):
            old.add(place)
        newer.setdefault(key, []).append(runs)
    newest = {place: record for place, record in records.items() if place not in old}
    return newest, {place: record for place, record in records.items() if place in old}


def _created(record: Mapping[str, Any]) -> float:
    created = record.get("created")
    return created if isinstance(created, int | float) else 0.0


def _is_in_logdir(value: Any) -> bool:
    """Return whether a value is a directory of another step, or several."""
    paths = value if isinstance(value, list) else [value]
    return bool(paths) and all(str(each).startswith("LOGDIR") for each in paths)


def goes_on(experiment: ExperimentDir, records: Iterable[RunRecord], warn: Warn) -> bool:
    """Return whether a run, a step of one, or one that gathers them goes on or may start.

    By their files alone. What waits for a step that has ended badly never starts, whatever its
    scheduler does with its job.
    """
    places = shared_steps(experiment)
    for record in records:
        if record.status.alive or record.state == "preempted":
            if not record.steps:
                return True
            places += [step.dir for step in record.steps if step.is_own]
    now, states = clock(experiment.path), dict[RunDir, str]()
    found = (_alone(place, states, now, warn, ("planned", "queued")) for place in places)
    return any(state in ("queued", "running", "preempted") for state in found)


def _alone(
    place: RunDir,
    states: dict[RunDir, str],
    now: Now,
    warn: Warn,
    idle: Collection[str] = ("planned",),
) -> str:
    """Return the state of a step by its files, and those of what it is after where it is idle."""
    if place in states:
        return states[place]
    states[place] = "planned"  # should records name each other
    state = step_state(read_attempts(place, now, warn)).name
    after = read_or_empty(place.record, warn).get("after") if state in idle else None
    for other, when in after.items() if isinstance(after, dict) else ():
        before = RunDir(os.path.normpath(f"{os.fspath(place)}/{other}"))
        if when == "done" and _alone(before, states, now, warn, idle) in BAD:
            state = "blocked"
            break
    states[place] = state
    return state
