"""The runs that an experiment has, as a launch needs to know them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from runx.disk.facts import UNASKED, Words, clock, facts, here, lives
from runx.errors import StoreError
from runx.files import read_json, read_lines
from runx.plans.reconcile import Identity, There
from runx.rundir import RECORD, ExperimentDir, RunDir
from runx.states.attempts import Facts
from runx.states.state import state

Warn = Callable[[str], None]
_PATIENCE = 20.0
"""Seconds that a submission is waited for whose launcher has died."""


def stock(experiment: ExperimentDir, identity: Identity, warn: Warn) -> Iterator[There]:
    """Read every run of an experiment; a damaged one is told of and passed over.

    Schedulers are asked of those alone that they may still know more of.
    """
    now = clock(experiment.path)
    found = list(_read(experiment, identity, now, warn))
    said = _said([(run, known) for run, _, known in found if _is_open(known)], warn)
    for run, key, known in found:
        if said and _is_open(known):
            known = facts(run, now, lambda _: None, said)  # What is damaged has been told.
        yield there(run, key, known)


def _said(several: Sequence[tuple[RunDir, Facts]], warn: Warn) -> Words:
    """Ask the schedulers of runs, of which this much is known."""
    if not several:
        return UNASKED
    from runx.schedulers.query import query, submitted_jobs  # not at start: few have a farm to ask

    _settle([(run, known) for run, known in several if not known.attempts[-1].job])
    return query(submitted_jobs([(run, known.attempts) for run, known in several], warn), warn)


def _read(
    experiment: ExperimentDir, identity: Identity, now: Callable[[], float], warn: Warn
) -> Iterator[tuple[RunDir, str, Facts]]:
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
        yield run, key, facts(run, now, warn)


def _is_open(known: Facts) -> bool:
    farms = any(attempt.farm for attempt in known.attempts)
    return farms and state(known).name != "done"


def _settle(several: Sequence[tuple[RunDir, Facts]]) -> None:
    """Wait for submit commands that outlived their launcher: what came of them is then known."""
    from runx.schedulers.query import submitted_jobs

    deadline = time.monotonic() + _PATIENCE
    attempts = {run: known.attempts for run, known in several}
    while attempts and time.monotonic() < deadline:
        jobs = submitted_jobs(attempts.items(), lambda _: None)
        pending = {job.run for job in jobs if job.is_pending and _is_orphan(job.run, job.attempt)}
        attempts = {run: known for run, known in attempts.items() if run in pending}
        time.sleep(0.1 if attempts else 0)


def there(run: RunDir, key: str, known: Facts) -> There:
    """Say how one run stands, of which this is known."""
    if not known.attempts:
        return There(run, key, state(known), 0)
    last = known.attempts[-1]
    orphan = bool(known.locked) and last.farm is None and _is_orphan(run, last.number)
    return There(run, key, state(known), last.number, orphan)


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
                yield there(run, key, facts(run, now, warn))


def _planned(plan: Path, warn: Warn) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(plan), 1):
        try:
            entry = json.loads(line)
            yield str(entry["name"]), str(entry["id"])
        except (ValueError, KeyError, TypeError):
            warn(f"{plan}, line {number}: left out, it is damaged")
