"""The runs that an experiment has, as a launch needs to know them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from runx.disk.facts import (
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
from runx.errors import StoreError
from runx.files import read_json, read_lines
from runx.plans.reconcile import Identity, There
from runx.rundir import RECORD, ExperimentDir, RunDir
from runx.states.state import State, state

Warn = Callable[[str], None]
_PATIENCE = 20.0
"""Seconds that a submission is waited for whose launcher has died."""


def existing_runs(experiment: ExperimentDir, identity: Identity, warn: Warn) -> Iterator[There]:
    """Read every run of an experiment; a damaged one is told of and passed over.

    Schedulers are asked of those alone that they may still know more of.
    """
    now = clock(experiment.path)
    existing = list(_read(experiment, identity, now, warn))
    said = _said({run: attempts for run, _, attempts in existing if is_open(attempts)}, warn)
    for run, key, attempts in existing:
        yield _there(run, key, *state_said(run, attempts, said, now))


def _said(attempts: Mapping[RunDir, Attempts], warn: Warn) -> Words:
    """Ask the schedulers of runs that they may still know of."""
    if not attempts:
        return UNASKED
    from runx.schedulers.asking import words  # not at start: few launches have a farm to ask

    known = {run: some for run, some in attempts.items() if some[-1].job_id}
    _settle([run for run in attempts if run not in known])
    return words(attempts, warn, known)


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


def _settle(runs: Sequence[RunDir]) -> None:
    """Wait for submit commands that outlived their launcher: what came of them is then known."""
    from runx.schedulers.sent import handed

    deadline = time.monotonic() + _PATIENCE
    while runs and time.monotonic() < deadline:
        runs = [
            one.run
            for one in handed(runs, lambda _: None)
            if one.pending and _is_orphan(one.run, one.attempt)
        ]
        time.sleep(0.1 if runs else 0)


def _there(run: RunDir, key: str, now: State, attempts: Attempts) -> There:
    if not attempts:
        return There(run, key, now, 0)
    last = attempts[-1]
    locked = any(attempt.locked for attempt in attempts)
    orphan = locked and last.farm is None and _is_orphan(run, last.number)
    return There(run, key, now, last.number, orphan)


def _is_orphan(run: RunDir, attempt: int) -> bool:
    try:
        return lives(read_json(run.claim(attempt)), here()) is False
    except StoreError:
        return False


def twins(experiment: ExperimentDir, keys: Iterable[str], warn: Warn) -> Iterator[There]:
    """Read the runs of earlier launches that are the same as some of those planned now.

    What was planned stands with each launch, so that none of the other runs is looked at.
    """
    wanted = set(keys)
    now = clock(experiment.path)
    for plan in sorted(experiment.launches.glob("*/plan.jsonl")):
        for name, key in _planned(plan, warn):
            run = experiment.run(name)
            if key in wanted and run.record.exists():
                attempts = read_attempts(run, now, warn)
                yield _there(run, key, state(attempts), attempts)


def _planned(plan: Path, warn: Warn) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(plan), 1):
        try:
            entry = json.loads(line)
            yield str(entry["name"]), str(entry["id"])
        except (ValueError, KeyError, TypeError):
            warn(f"{plan}, line {number}: left out, it is damaged")
