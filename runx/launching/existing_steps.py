"""Steps that exist, as a launch sees them, and the states of the runs that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from runx.errors import StoreError
from runx.launching.existing import existing_run, queried
from runx.launching.graph import StepRuns
from runx.launching.plan import ExistingRun
from runx.rundir.attempts import Attempts, is_open, read_attempts
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir
from runx.rundir.state import State
from runx.rundir.step_states import current_step_state, run_state, step_entries, step_states

Warn = Callable[[str], None]


class ExistingStep(NamedTuple):
    """A step that has a directory, and its attempts that count."""

    standing: ExistingRun
    attempts: Attempts


def states_of(
    entries: Mapping[RunDir, Sequence[Mapping[str, Any]]], now: Callable[[], float], warn: Warn
) -> dict[RunDir, State]:
    """Return the states of runs by the entries of their steps in run.json."""

    @cache
    def read(step: RunDir) -> Attempts:
        return read_attempts(step, now, warn)

    steps = {run: step_entries(run, {"steps": each}) for run, each in entries.items()}
    attempts = {step.dir: read(step.dir) for each in steps.values() for step in each}
    statuses = queried({step: each for step, each in attempts.items() if is_open(each)}, warn)
    return {
        run: run_state(each, step_states(each, read, now, statuses)) for run, each in steps.items()
    }


def existing_steps(
    graph: StepRuns, warn: Warn, now: Callable[[], float]
) -> dict[RunDir, ExistingStep]:
    """Return those steps that have a directory, with their states by their own files."""
    found: dict[RunDir, Attempts] = {}
    ids: dict[RunDir, str] = {}
    for run in graph.steps:
        if not os.path.isdir(run.dir):  # noqa: PTH112
            continue
        try:
            ids[run.dir] = str(read_json(run.dir.record).get("id"))
        except StoreError:
            ids[run.dir] = graph.ids[run.dir]  # It is damaged, and what it was can't be known.
        found[run.dir] = read_attempts(run.dir, now, warn)
    statuses = queried({run: each for run, each in found.items() if is_open(each)}, warn)
    steps = {}
    for dir, attempts in found.items():
        state, counted = current_step_state(dir, attempts, statuses, now)
        steps[dir] = ExistingStep(existing_run(dir, ids[dir], state, attempts), counted)
    return steps
