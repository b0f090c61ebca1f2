"""The removal of runs that have ended, and of the checkpoints of all but the best."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runx.analysis.columns import value
from runx.analysis.question import Question
from runx.analysis.table import ranked, sort_keys
from runx.errors import RunxError, StoreError
from runx.rundir import workspace
from runx.rundir.attempts import (
    NO_STATUSES,
    Attempts,
    JobStatuses,
    clock,
    current_state,
    read_attempts,
    status_of,
    take_lock,
)
from runx.rundir.checkpoints import checkpoints_in
from runx.rundir.experiments import run_dirs
from runx.rundir.files import disk_problem
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import code_digests
from runx.rundir.run import RunRecord
from runx.rundir.state import UNKNOWN, State
from runx.rundir.steps import own_steps, shared_steps
from runx.rundir.turns import turn

Say = Callable[[str], None]


class Removal(NamedTuple):
    """A run to be removed: its state, and why it may not be removed, if it may not."""

    run: RunDir
    state: State
    why_not: str = ""


def removals(
    attempts: Mapping[RunDir, Attempts], statuses: JobStatuses = NO_STATUSES
) -> Iterator[Removal]:
    """Return for each run whether it may be removed, by its attempts and its job's status.

    Nor may one of which a step may not.
    """
    for run, of_run in attempts.items():
        removal = _removal(run, of_run, statuses)
        if steps := own_steps(run):
            each = [_removal(step, _attempts(step), statuses) for step in steps]
            decides = next((step for step in each if step.why_not), each[-1])
            why = decides.why_not and f"{decides.run.path.name}: {decides.why_not}"
            removal = Removal(run, decides.state, why)
        yield removal


def _removal(run: RunDir, attempts: Attempts, statuses: JobStatuses) -> Removal:
    if not attempts and not run.record.exists():
        return Removal(run, State(UNKNOWN))
    state, latest = current_state(run, attempts, statuses, clock(run.path.parent))
    status = status_of(run, latest, statuses)
    unasked = latest and latest[-1].farm and status is None
    is_odd = status is not None and status.state == state.name == UNKNOWN
    if state.alive or state.name == "preempted" or is_odd:
        return Removal(run, state, f"it is {state}")
    if state.name == "lost" and unasked:
        return Removal(run, state, "its farm was not asked what became of it")
    return Removal(run, state)


def _attempts(run: RunDir) -> Attempts:
    return read_attempts(run, clock(run.path.parent), lambda _: None)


def freed_bytes(folder: Path) -> int:
    """Return the bytes that removing a folder frees: files with hard links elsewhere don't count.

    >>> freed_bytes(Path("/no/such/folder"))
    0
    """
    names: dict[tuple[int, int], int] = {}
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                status = os.lstat(os.path.join(place, name))  # noqa: PTH118
            except OSError:
                continue  # Somebody else removes it at this moment, or may alone look at it.
            key = (status.st_dev, status.st_ino)
            names[key] = names.get(key, 0) + 1
            if names[key] == status.st_nlink:
                total += status.st_blocks * 512
    return total


def remove(runs: Iterable[RunDir], say: Say, statuses: JobStatuses = NO_STATUSES) -> int:
    """Remove runs, each after its state was read anew; return how many were removed.

    No launch decides meanwhile, and each run is locked against a start by hand. On a disk that is
    too full for that, where no launch can decide either, the first run that goes makes room.
    """
    by_experiment: dict[Path, list[RunDir]] = {}
    for run in runs:
        by_experiment.setdefault(run.path.parent, []).append(run)
    count = 0
    for path, members in by_experiment.items():
        try:
            for removed in _remove_members(ExperimentDir(path), members, say, statuses):
                count += removed
        except OSError as error:
            say(f"{path.name}: what is left of it stays: {disk_problem(error, path)}")
    return count


def _remove_members(
    experiment: ExperimentDir, members: Sequence[RunDir], say: Say, statuses: JobStatuses
) -> Iterator[bool]:
    """Remove runs of an experiment, and yield of each whether it was."""
    while members:
        with turn(experiment, say, is_needed=False) as is_alone:
            now = members if is_alone else members[:1]
            yield from [_removed(run, experiment, say, statuses) for run in now]
            members = members[len(now) :]
            if not members:
                _remove_code(experiment, say)


def _removed(run: RunDir, experiment: ExperimentDir, say: Say, statuses: JobStatuses) -> bool:
    if not run.path.is_dir():
        return False  # Somebody else was faster.
    # Read before it is locked: any lock is a sign of life, ours too.
    attempts = {run: read_attempts(run, clock(run.path.parent), say)}
    [removal] = removals(attempts, statuses)
    place = workspace.workspace_of(run)
    try:
        away = None if removal.why_not else _moved_away(run, experiment)
    except OSError as error:
        removal = removal._replace(why_not=disk_problem(error, run.path))
    if removal.why_not or away is None:
        say(f"{run.path.name}: stays: {removal.why_not or 'it is running'}")
        return False
    try:
        shutil.rmtree(away)
    except OSError as error:
        rest = f"{error.filename}: {error.strerror}"
        say(f"{run.path.name}: is removed, but not all of {away}: {rest}; the next launch does it")
    if place is not None and (why := workspace.remove(place)):
        say(f"{run.path.name}: what its job wrote in its workspace stays: {why}")
    return True


def _moved_away(run: RunDir, experiment: ExperimentDir) -> Path | None:
    """Rename a run's directory to where the next launch clears what is left of it.

    So half a run is never seen; but on a disk that is too full for that, it stays in its place.
    Returns None where the run is alive.
    """
    locks: list[int] = []
    try:
        for place in (run, *own_steps(run)):
            # What has no lock never had a process.
            if place.lock.exists():
                lock = take_lock(place)
                if lock is None:
                    return None
                locks.append(lock)
        away = experiment.making / f"{run.path.name}.{secrets.token_hex(4)}"
        try:
            experiment.making.mkdir(parents=True, exist_ok=True)
            run.path.rename(away)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return run.path
        return away
    finally:
        for lock in locks:
            os.close(lock)


def _remove_code(experiment: ExperimentDir, say: Say) -> None:
    """Remove the frozen code that no run uses; none where a run can't be read."""
    try:
        used = {
            code
            for run in (*run_dirs(experiment), *shared_steps(experiment))
            if run.record.exists()
            for code in code_digests(run)
        }
    except StoreError as error:
        say(f"warning: frozen code stays: {error}")
        return
    for folder in experiment.code.glob("*") if experiment.code.is_dir() else ():
        is_used = folder.name.startswith((".", "from-")) or folder.name.split(".")[0] in used
        if folder.is_dir() and not is_used:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                say(f"warning: frozen code stays: {error.filename}: {error.strerror}")


class Thinned(NamedTuple):
    """A run whose checkpoints are to be removed, and its metric."""

    run: RunRecord
    metric: float
    checkpoints: tuple[Path, ...]


def thinned(runs: Sequence[RunRecord], top: int, question: Question) -> list[Thinned]:
    """Return the runs after the ``top`` best, best first, that have checkpoints.

    Runs that are not done, or lack the metric, are left out: they may need theirs to resume.

    Raises:
        RunxError: What the question sorts by is no metric of these runs.
    """
    keys = sort_keys(runs, question)
    if not keys:
        return []
    key = keys[0]
    if key.column.kind != "measured":
        raise RunxError(f"--by {question.sortwith[0]}: is no metric of these runs; sumx shows them")
    measured = [run for run in ranked(runs, [key]) if _is_number(value(run, key.column))]
    return [
        Thinned(run, value(run, key.column), checkpoints)
        for run in measured[top:]
        if run.state == "done"
        and (checkpoints := tuple(each.path for each in checkpoints_in(run.dir)))
    ]


def _is_number(metric: object) -> bool:
    return isinstance(metric, (int, float)) and metric == metric
