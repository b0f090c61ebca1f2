"""Runs thrown away: only such as have ended, and with the last of them the code frozen for them."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from runx.disk import joining
from runx.disk.codes import codes
from runx.disk.experiments import places
from runx.disk.facts import UNASKED, Words, clock, facts
from runx.errors import StoreError
from runx.launching.turns import turn
from runx.machine.local import locked
from runx.rundir import ExperimentDir, RunDir
from runx.states.state import UNKNOWN, State, state

Say = Callable[[str], None]


class Found(NamedTuple):
    """A run that somebody wants to be rid of: how it stands, and why it must stay, if it must."""

    run: RunDir
    stands: State
    why_not: str = ""


def found(runs: Iterable[RunDir], warn: Say, words: Words = UNASKED) -> Iterator[Found]:
    """Look at how each run stands; ``words`` are what schedulers have said."""
    for run in runs:
        known = facts(run, clock(run.path.parent), warn, words)
        if not known.attempts and not run.record.exists():
            yield Found(run, State(UNKNOWN))
            continue
        stands = state(known)
        unasked = known.attempts and known.attempts[-1].farm and known.word is None
        if stands.alive or stands.name == "preempted":
            yield Found(run, stands, f"it is {stands}")
        elif stands.name == "lost" and unasked:
            yield Found(run, stands, "its farm was not asked what became of it")
        else:
            yield Found(run, stands)


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


def remove(runs: Iterable[RunDir], say: Say, words: Words = UNASKED) -> int:
    """Remove runs, each after another look at it; give how many are gone.

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
            count += sum([_removed(run, experiment, say, words) for run in members])
            _remove_code(experiment, say)
    return count


def _removed(run: RunDir, experiment: ExperimentDir, say: Say, words: Words) -> bool:
    if not run.path.is_dir():
        return False  # Somebody else was faster.
    # Looked at before it is locked: a lock is what tells that a run lives, ours no less.
    [now] = found([run], say, words)
    lock = locked(run) if run.attempts.is_dir() and not now.why_not else None
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
    place = joining.elsewhere(RunDir(away))
    shutil.rmtree(away)
    if place is not None and (why := joining.remove(place)):
        say(f"{run.path.name}: what its job wrote in its workspace stays: {why}")
    return True


def _remove_code(experiment: ExperimentDir, say: Say) -> None:
    """Remove the frozen code that no run was made from; where one can't be read, none."""
    try:
        used = {code for run in places(experiment) if run.record.exists() for code in codes(run)}
    except StoreError as error:
        say(f"warning: frozen code stays: {error}")
        return
    for folder in experiment.code.glob("*") if experiment.code.is_dir() else ():
        kept = folder.name.startswith((".", "from-")) or folder.name.split(".")[0] in used
        if folder.is_dir() and not kept:
            shutil.rmtree(folder)
