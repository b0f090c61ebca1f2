"""Which of the planned runs a launch starts, given those that there are."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from runx.config.experiment import Experiment
from runx.errors import RunxError, StoreError
from runx.launching.plan import (
    ExistingRun,
    LaunchOptions,
    LaunchPlan,
    reconcile,
    run_id,
    selected,
    summary,
)
from runx.rundir.attempts import (
    UNASKED,
    Attempts,
    Words,
    clock,
    here,
    is_open,
    lives,
    read_attempts,
    state_said,
)
from runx.rundir.files import read_json, read_lines
from runx.rundir.paths import RECORD, ExperimentDir, RunDir
from runx.rundir.run import Run
from runx.rundir.state import State, state
from runx.sweeps.identity import Identity

Say = Callable[[str], None]


Warn = Callable[[str], None]


_PATIENCE = 20.0
"""Seconds that a submission is waited for whose launcher has died."""


def decide(
    experiment: Experiment, runs: Sequence[Run], options: LaunchOptions, say: Say
) -> LaunchPlan:
    """Match the planned runs with the existing ones, and say what that comes to."""

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if options.resume:
        keyed = [(run_id(experiment, run), run) for run in runs]
        existing = list(existing_runs(experiment.dir, experiment.identity, warn))
        whole = reconcile(keyed, existing, options.retried)
        plan = selected(whole, options)
        say(summary(plan) + _left_out(len(whole.attempts) - len(plan.attempts)))
        _tell_unseen(plan, say)
    else:
        plan = selected(LaunchPlan.of_new(runs), options)
        if out := len(runs) - len(plan.attempts):
            say(f"starting {len(plan.attempts)} of {len(runs)} runs{_left_out(out)}")
        keys = (run_id(experiment, run) for run in plan.runs)
        _check_twins(experiment, list(twins(experiment.dir, keys, warn)), options, say)
    if options.single and len(plan.attempts) > 1:
        raise RunxError(f"--attach takes a single run; {len(plan.attempts)} would start")
    return plan


def _left_out(count: int) -> str:
    return f"; {count} left out by --where or --limit" if count else ""


def _tell_unseen(plan: LaunchPlan, say: Say) -> None:
    alike: dict[str, list[str]] = {}
    for run in plan.left:
        if run.state.alive and run.state.reason:
            alike.setdefault(str(run.state), []).append(run.dir.path.name)
    for state_text, names in alike.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(f"{names[0]}{more}: left alone: {state_text}")


def _check_twins(
    experiment: Experiment, same: Sequence[ExistingRun], options: LaunchOptions, say: Say
) -> None:
    alive = [run for run in same if run.state.alive]
    if alive and not options.again:
        some = (
            f"{len(alive)} of these runs are {alive[0].state.name}"
            if len(alive) > 1
            else (f"{alive[0].dir.path.name} is such a run, and is {alive[0].state.name}")
        )
        raise RunxError(
            f"{experiment.dir.path}: {some}; --resume starts only what is missing,"
            " --again all of them anew"
        )
    done = sum(run.state.name == "done" for run in same)
    if done:
        such = "such run is" if done == 1 else "such runs are"
        say(f"{done} {such} done already; --resume would start only what is missing")


def existing_runs(
    experiment: ExperimentDir, identity: Identity, warn: Warn
) -> Iterator[ExistingRun]:
    """Read every run of an experiment; a damaged one is told of and passed over.

    Schedulers are asked of those alone that they may still know more of.
    """
    now = clock(experiment.path)
    existing = list(_read(experiment, identity, now, warn))
    said = _said({run: attempts for run, _, attempts in existing if is_open(attempts)}, warn)
    for run, key, attempts in existing:
        yield _existing(run, key, *state_said(run, attempts, said, now))


def _said(attempts: Mapping[RunDir, Attempts], warn: Warn) -> Words:
    """Return what schedulers say of runs that they may still know of."""
    if not attempts:
        return UNASKED
    from runx.farms.query import query, submitted_jobs  # not at start: few have a farm to ask

    unnamed = {run: some for run, some in attempts.items() if not some[-1].job_id}
    settled = {run: read_attempts(run, clock(run.path.parent), _silent) for run in _settle(unnamed)}
    return query(submitted_jobs({**attempts, **settled}.items(), warn), warn)


def _silent(_: str) -> None:
    """Warn of nothing: it has been warned of."""


def _read(
    experiment: ExperimentDir, identity: Identity, now: Callable[[], float], warn: Warn
) -> Iterator[tuple[RunDir, str, Attempts]]:
    try:
        names = sorted(os.listdir(experiment.path))  # noqa: PTH208
    except FileNotFoundError:
        return
    for run in (experiment.run(name) for name in names if name[0] != "."):
        try:
            record = read_json(f"{os.fspath(run)}/{RECORD}")
            key = identity.of(str(record["cmd"]), record["hparams"])
        except (StoreError, KeyError, TypeError, AttributeError) as error:
            if run.record.exists():
                warn(f"{run.record}: left out: {error}")
            continue
        yield run, key, read_attempts(run, now, warn)


def _settle(unnamed: Mapping[RunDir, Attempts]) -> Iterable[RunDir]:
    """Wait for submit commands that outlived their launcher; what came of them is then written.

    Returns the runs, which are to be read again.
    """
    from runx.farms.query import submitted_jobs

    deadline = time.monotonic() + _PATIENCE
    attempts = dict(unnamed)
    while attempts and time.monotonic() < deadline:
        jobs = submitted_jobs(attempts.items(), lambda _: None)
        pending = {job.run for job in jobs if job.is_pending and _is_orphan(job.run, job.attempt)}
        attempts = {run: known for run, known in attempts.items() if run in pending}
        time.sleep(0.1 if attempts else 0)
    return unnamed


def _existing(run: RunDir, key: str, now: State, attempts: Attempts) -> ExistingRun:
    if not attempts:
        return ExistingRun(run, key, now, 0)
    last = attempts[-1]
    locked = any(attempt.locked for attempt in attempts)
    orphan = locked and last.farm is None and _is_orphan(run, last.number)
    return ExistingRun(run, key, now, last.number, orphan)


def _is_orphan(run: RunDir, attempt: int) -> bool:
    try:
        return lives(read_json(run.claim(attempt)), here()) is False
    except StoreError:
        return False


def twins(experiment: ExperimentDir, keys: Iterable[str], warn: Warn) -> Iterator[ExistingRun]:
    """Read the runs of earlier launches that are the same as some of those planned now.

    What was planned stands with each launch, so that none of the other runs is looked at.
    """
    wanted, seen = set(keys), set[str]()
    now = clock(experiment.path)
    for plan in sorted(experiment.launches.glob("*/plan.jsonl")):
        for name, key in _planned(plan, warn):
            run = experiment.run(name)
            if key in wanted and name not in seen and run.record.exists():
                seen.add(name)
                attempts = read_attempts(run, now, warn)
                yield _existing(run, key, state(attempts), attempts)


def _planned(plan: Path, warn: Warn) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(plan), 1):
        try:
            entry = json.loads(line)
            yield str(entry["name"]), str(entry["id"])
        except (ValueError, KeyError, TypeError):
            warn(f"{plan}, line {number}: left out, it is damaged")
