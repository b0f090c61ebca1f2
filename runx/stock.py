"""The runs that an experiment has, as a launch needs to know them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runx.errors import StoreError
from runx.facts import clock, facts, here, lives
from runx.reconcile import Identity, There
from runx.rundir import ExperimentDir, RunDir, read_json, read_lines
from runx.state import state

Warn = Callable[[str], None]


def stock(experiment: ExperimentDir, identity: Identity, warn: Warn) -> Iterator[There]:
    """Read every run of an experiment; a damaged one is told of and passed over."""
    try:
        folders = sorted(path for path in experiment.path.iterdir() if path.name[0] != ".")
    except FileNotFoundError:
        return
    now = clock(experiment.path)
    for folder in folders:
        run = RunDir(folder)
        try:
            record = read_json(run.record)
            key = identity.of(str(record["cmd"]), record["hparams"])
        except (StoreError, KeyError, TypeError, AttributeError) as error:
            if run.record.exists():
                warn(f"{run.record}: left out: {error}")
            continue
        yield there(run, key, now, warn)


def there(run: RunDir, key: str, now: Callable[[], float], warn: Warn) -> There:
    """Read how one run stands."""
    known = facts(run, now, warn)
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
        for name, key in _planned(plan):
            run = experiment.run(name)
            if key in wanted and run.record.exists():
                yield there(run, key, now, warn)


def _planned(plan: Path) -> Iterator[tuple[str, str]]:
    for line in read_lines(plan):
        entry = json.loads(line)
        yield entry["name"], entry["id"]
