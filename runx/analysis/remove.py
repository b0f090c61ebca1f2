"""Runs and checkpoints thrown away: runs that have ended, checkpoints of all but the best."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.analysis.columns import value
from runx.analysis.question import Question
from runx.analysis.table import deciding, ranked
from runx.errors import RunxError, StoreError
from runx.rundir import workspace
from runx.rundir.attempts import (
    UNASKED,
    Attempts,
    Words,
    clock,
    read_attempts,
    state_said,
    status_of,
    take_lock,
)
from runx.rundir.checkpoints import checkpoints_in
from runx.rundir.experiments import places
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import code_digests
from runx.rundir.run import RunRecord
from runx.rundir.state import UNKNOWN, State
from runx.rundir.turns import turn

Say = Callable[[str], None]


class Removal(NamedTuple):
    """A run that somebody wants to be rid of: its state, and why it must stay, if it must."""

    run: RunDir
    state: State
    why_not: str = ""


def removals(attempts: Mapping[RunDir, Attempts], said: Words = UNASKED) -> Iterator[Removal]:
    """Judge which runs may be removed, by their attempts and what schedulers ``said`` since."""
    for run, known in attempts.items():
        if not known and not run.record.exists():
            yield Removal(run, State(UNKNOWN))
            continue
        state, known = state_said(run, known, said, clock(run.path.parent))
        unasked = known and known[-1].farm and status_of(run, known, said) is None
        if state.alive or state.name == "preempted":
            yield Removal(run, state, f"it is {state}")
        elif state.name == "lost" and unasked:
            yield Removal(run, state, "its farm was not asked what became of it")
        else:
            yield Removal(run, state)


def weight(folder: Path) -> int:
    """Give the bytes that are free once a folder is gone: not those of files with names elsewhere.

    >>> weight(Path("/no/such/folder"))
    0
    """
    names: dict[tuple[int, int], int] = {}
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                status = os.lstat(os.path.join(place, name))  # noqa: PTH118
            except FileNotFoundError:
                continue  # Somebody else removes it at this moment.
            key = (status.st_dev, status.st_ino)
            names[key] = names.get(key, 0) + 1
            if names[key] == status.st_nlink:
                total += status.st_blocks * 512
    return total


def remove(runs: Iterable[RunDir], say: Say, said: Words = UNASKED) -> int:
    """Remove runs, each after another look at it; return how many are gone.

    No launcher decides meanwhile, and whoever would start one by hand finds it locked.
    """
    by_experiment: dict[Path, list[RunDir]] = {}
    for run in runs:
        by_experiment.setdefault(run.path.parent, []).append(run)
    count = 0
    for path, members in by_experiment.items():
        experiment = ExperimentDir(path)
        experiment.making.mkdir(parents=True, exist_ok=True)
        with turn(experiment, say):
            count += sum([_removed(run, experiment, say, said) for run in members])
            _remove_code(experiment, say)
    return count


def _removed(run: RunDir, experiment: ExperimentDir, say: Say, said: Words) -> bool:
    if not run.path.is_dir():
        return False  # Somebody else was faster.
    # Looked at before it is locked: a lock is what tells that a run lives, ours no less.
    attempts = {run: read_attempts(run, clock(run.path.parent), say)}
    [now] = removals(attempts, said)
    lock = take_lock(run) if run.attempts.is_dir() and not now.why_not else None
    try:
        if now.why_not or (run.attempts.is_dir() and lock is None):
            say(f"{run.path.name}: stays: {now.why_not or 'it is running'}")
            return False
        # Out of sight at once: half a run is never seen, and the next launch clears what is left.
        away = experiment.making / f"{run.path.name}.{secrets.token_hex(4)}"
        run.path.rename(away)
    finally:
        if lock is not None:
            os.close(lock)
    place = workspace.elsewhere(RunDir(away))
    shutil.rmtree(away)
    if place is not None and (why := workspace.remove(place)):
        say(f"{run.path.name}: what its job wrote in its workspace stays: {why}")
    return True


def _remove_code(experiment: ExperimentDir, say: Say) -> None:
    """Remove the frozen code that no run was made from; where one can't be read, none."""
    try:
        used = {
            code for run in places(experiment) if run.record.exists() for code in code_digests(run)
        }
    except StoreError as error:
        say(f"warning: frozen code stays: {error}")
        return
    for folder in experiment.code.glob("*") if experiment.code.is_dir() else ():
        kept = folder.name.startswith((".", "from-")) or folder.name.split(".")[0] in used
        if folder.is_dir() and not kept:
            shutil.rmtree(folder)


class Thinned(NamedTuple):
    """A run that is to lose its checkpoints, and what its metric is."""

    run: RunRecord
    metric: float
    checkpoints: tuple[Path, ...]


def thinned(runs: Sequence[RunRecord], top: int, question: Question) -> list[Thinned]:
    """Return the runs behind the best ones, best first, that have checkpoints to lose.

    Only a run that is done loses any, and only by its metric: others may need theirs to go on.
    """
    keys = deciding(runs, question)
    if not keys:
        return []
    key = keys[0]
    if key.column.kind != "measured":
        raise RunxError(f"--by {question.sortwith[0]}: is no metric of these runs; sumx shows them")
    judged = [run for run in ranked(runs, [key]) if _is_number(value(run, key.column))]
    return [
        Thinned(run, value(run, key.column), checkpoints)
        for run in judged[top:]
        if run.state == "done"
        and (checkpoints := tuple(one.path for one in checkpoints_in(run.dir)))
    ]


def _is_number(metric: object) -> bool:
    return isinstance(metric, (int, float)) and metric == metric
