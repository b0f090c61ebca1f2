"""The runs that a launch starts, by the planned ones and those that exist."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runx.config.experiment import Experiment
from runx.errors import RunxError, StoreError
from runx.launching.existing import existing_run, queried
from runx.launching.plan import (
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    selected,
)
from runx.launching.reconcile import reconcile, summary
from runx.nearest import first_of
from runx.rundir.attempts import (
    Attempts,
    clock,
    current_state,
    is_open,
    read_attempts,
)
from runx.rundir.experiments import is_barred
from runx.rundir.files import read_json, read_lines
from runx.rundir.paths import RECORD, STEPS, ExperimentDir, RunDir
from runx.rundir.record import trial_in
from runx.rundir.run import Run
from runx.rundir.state import UNKNOWN, State, state
from runx.sweeps.identity import Identity

Say = Callable[[str], None]
Warn = Callable[[str], None]
_UNSETTLED = ("preempted", UNKNOWN)
"""States, besides those of what is alive, in which a run may go on."""


def decide(
    experiment: Experiment, runs: Sequence[Run], options: LaunchOptions, say: Say
) -> LaunchPlan:
    """Return which runs start, and print a line on it.

    Raises:
        RunxError: Equal runs are alive already, or --attach would start several.
    """

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if options.resume:
        keyed = [(experiment.id_of(run.point), run) for run in runs]
        found = existing_runs(experiment.dir, experiment.identity, warn, has_steps=False)
        existing = list(found)
        if experiment.farm or experiment.candidates:  # A farm's jobs wait for no launcher.
            existing = [run._replace(waits=False) for run in existing]
        full = reconcile(keyed, existing, options.retried)
        plan = selected(full, options)
        say(summary(plan) + _left_out(len(full.attempts) - len(plan.attempts)))
        _note_left(plan, say)
    else:
        plan = selected(LaunchPlan.of_new(runs), options)
        if out := len(runs) - len(plan.attempts):
            say(f"starting {len(plan.attempts)} of {len(runs)} runs{_left_out(out)}")
        keys = (experiment.id_of(run.point) for run in plan.runs)
        check_twins(experiment, list(twins(experiment.dir, keys, warn)), options, say)
    if options.single and len(plan.attempts) > 1:
        raise RunxError(f"--attach takes a single run; {len(plan.attempts)} would start")
    return plan


def _left_out(count: int) -> str:
    return f"; {count} left out by --where or --limit" if count else ""


def _note_left(plan: LaunchPlan, say: Say) -> None:
    """Print why runs are left alone that have not ended, a line for each reason."""
    names_of: dict[str, list[str]] = {}
    for run in plan.left:
        if run.state.reason and (run.state.alive or run.state.name in _UNSETTLED):
            names_of.setdefault(str(run.state), []).append(run.dir.path.name)
    for state_text, names in names_of.items():
        say(f"{first_of(names, most=1)}: left alone: {state_text}")


def check_twins(
    experiment: Experiment, equal: Sequence[ExistingRun], options: LaunchOptions, say: Say
) -> None:
    """Raise a RunxError if equal runs are alive, unless --again; print how many are done."""
    alive = [run for run in equal if run.state.alive]
    if alive and not options.again:
        problem = (
            f"{len(alive)} of these runs are {alive[0].state.name}"
            if len(alive) > 1
            else (f"{alive[0].dir.path.name} is such a run, and is {alive[0].state.name}")
        )
        raise RunxError(
            f"{experiment.dir.path}: {problem}; --resume starts only what is missing,"
            " --again all of them anew"
        )
    done = sum(run.state.name == "done" for run in equal)
    if done:
        subject = "such run is" if done == 1 else "such runs are"
        say(f"{done} {subject} done already; --resume would start only what is missing")


def existing_runs(
    experiment: ExperimentDir, identity: Identity, warn: Warn, has_steps: bool | None = None
) -> Iterator[ExistingRun]:
    """Return every run of an experiment; damaged ones cost a warning and are left out.

    Schedulers are queried only for runs whose last attempt may not have ended. With ``has_steps``
    they are those that were made of STEPS, or those of a CMD.
    """
    now = clock(experiment.path)
    existing = [
        each
        for each in _read_runs(experiment, identity, now, warn)
        if has_steps is None or has_steps == _is_of_steps(each[0], each[3])
    ]
    unfinished = {run: each for run, _, each, _ in existing if each is not None and is_open(each)}
    statuses = queried(unfinished, warn)
    with_steps = {run: steps for run, _, _, steps in existing if steps}
    states: Mapping[RunDir, State] = {}
    if with_steps:
        from runx.launching.existing_steps import states_of

        states = states_of(with_steps, now, warn)
    for run, key, attempts, _ in existing:
        if attempts is None:
            yield ExistingRun(run, key, State(UNKNOWN), 0)
        elif run in states:
            yield ExistingRun(run, key, states[run], 0)
        else:
            yield existing_run(run, key, *current_state(run, attempts, statuses, now))


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""


def _is_of_steps(run: RunDir, steps: Sequence[Any] = ()) -> bool:
    """Return whether a run was made of STEPS: it is none that a CMD is executed in."""
    return bool(steps) or os.path.isdir(f"{os.fspath(run)}/{STEPS}")  # noqa: PTH112


def _read_runs(
    experiment: ExperimentDir, identity: Identity, now: Callable[[], float], warn: Warn
) -> Iterator[tuple[RunDir, str, Attempts | None, list[Any]]]:
    """Return each run with its identity, its attempts (None if unreadable), its steps' entries."""
    try:
        names = sorted(os.listdir(experiment.path))  # noqa: PTH208
    except FileNotFoundError:
        return
    planned: Mapping[str, str] | None = None
    for run in (experiment.run(name) for name in names if name[0] != "." and name != STEPS):
        try:
            record = read_json(f"{os.fspath(run)}/{RECORD}")
            key = identity.of(str(record["cmd"]), record["hparams"], trial_in(record))
        except (StoreError, KeyError, TypeError, AttributeError) as error:
            # A run whose record is damaged, or somebody else's alone, may be alive.
            planned = _planned_ids(experiment, warn) if planned is None else planned
            known = planned.get(run.path.name)
            if known is None:
                _pass_by(run, error, experiment, warn)
                continue
            key, record = known, {}
        steps = record.get("steps") or []
        try:
            yield run, key, read_attempts(run, now, warn), steps
        except OSError as error:
            warn(f"{run.path}: left alone, for it can't be read: {error.strerror}")
            yield run, key, None, steps


def _pass_by(run: RunDir, problem: Exception, experiment: ExperimentDir, warn: Warn) -> None:
    """Warn of a directory whose run nobody knows; raise if it may be one that is planned."""
    if os.path.lexists(run.record):
        warn(f"{run.record}: left out: {problem}")
        return
    folders = [experiment.launches, *experiment.launches.glob("*")]
    plans_are_read = all(os.access(folder, os.R_OK | os.X_OK) for folder in folders)
    if run.path.is_dir() and is_barred(run.path, warn) and not plans_are_read:
        raise RunxError(
            f"{run.path}: you may read neither this run nor its launch, so that it may be one of"
            " these; ask its owner for that, or launch without --resume"
        )


def _planned_ids(experiment: ExperimentDir, warn: Warn) -> Mapping[str, str]:
    """Return the identities of all runs by their names, as the launches had planned them."""
    plans = sorted(experiment.launches.glob("*/plan.jsonl"))
    return dict(entry for plan in plans for entry in _read_plan(plan, warn))


def twins(experiment: ExperimentDir, keys: Iterable[str], warn: Warn) -> Iterator[ExistingRun]:
    """Return the runs of earlier launches whose identity is among ``keys``.

    Each launch has a file of its plan, so that no other run's directory is read.
    """
    wanted, names = set(keys), set[str]()
    now = clock(experiment.path)
    for plan in sorted(experiment.launches.glob("*/plan.jsonl")):
        for name, key in _read_plan(plan, warn):
            run = experiment.run(name)
            if key not in wanted or name in names or not os.path.isdir(run):  # noqa: PTH112
                continue
            if not is_barred(run.path, warn) and run.record.exists():
                names.add(name)
                attempts = read_attempts(run, now, warn)
                if os.path.isdir(f"{os.fspath(run)}/{STEPS}"):  # noqa: PTH112
                    from runx.launching.existing_steps import states_of

                    steps = read_json(run.record).get("steps") or []
                    yield ExistingRun(run, key, states_of({run: steps}, now, warn)[run], 0)
                    continue
                yield existing_run(run, key, state(attempts), attempts)


def _read_plan(plan: Path, warn: Warn) -> Iterator[tuple[str, str]]:
    """Return the name and the identity of each run of a plan.jsonl."""
    for number, line in enumerate(read_lines(plan), 1):
        try:
            entry = json.loads(line)
            yield str(entry["name"]), str(entry["id"])
        except (ValueError, KeyError, TypeError):
            warn(f"{plan}, line {number}: left out, it is damaged")
