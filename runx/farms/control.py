"""Jobs cancelled, held and released by their schedulers."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from runx.errors import FarmError, RunxError
from runx.farms.base import Farm, JobCommands, SubmittedJob, Words
from runx.farms.commands import call
from runx.farms.query import by_farm, complete_arrays
from runx.farms.registry import farm_type_of
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir

Statuses: TypeAlias = Mapping[tuple[str, str], JobStatus]
ALIVE = ("queued", "running", "preempted")
"""States in which there is something to cancel, hold or release."""


def cancel(jobs: Sequence[SubmittedJob], runs: Container[RunDir], statuses: Statuses) -> None:
    """Cancel jobs: an array at once where all its runs are among ``runs``, and its farm can."""
    for farm, farm_jobs in by_farm(jobs):
        cancel_arrays = farm_type_of(farm.type).cancel_arrays
        names = list(complete_arrays(farm_jobs, runs)) if cancel_arrays else []
        if cancel_arrays and names:
            _execute(farm, cancel_arrays(names, farm), "cancel")
    change(jobs, "cancel", statuses, runs)


def change(
    jobs: Iterable[SubmittedJob], verb: str, statuses: Statuses, runs: Container[RunDir] = ()
) -> int:
    """Cancel, hold or release jobs and return how many; those that have ended are left out.

    Where all runs of an array are among ``runs``, its own id is used if its farm has one.

    Raises FarmError where a farm can't or won't.
    """
    count = 0
    for farm, farm_jobs in by_farm(jobs):
        known = [(job.id, statuses.get((farm.name, job.id))) for job in farm_jobs if job.id]
        ids = [id for id, status in known if status is None or status.state in ALIVE]
        if ids:
            addressed = _addressed(farm, farm_jobs, ids, runs)
            _execute(farm, _commands(farm, verb)(addressed, farm), verb)
        count += len(ids)
    return count


def _addressed(
    farm: Farm, jobs: Iterable[SubmittedJob], ids: Sequence[str], runs: Container[RunDir]
) -> list[str]:
    """Return job ids, with the id of an array for those of its jobs where all its runs are meant.

    ``jobs`` are those of which some have the ids.
    """
    array_of = farm_type_of(farm.type).array_of
    if array_of is None:
        return list(ids)
    arrays = {array_of(job.id) for job in complete_arrays(jobs, runs).values() if job.id}
    return list(dict.fromkeys(array_of(id) if array_of(id) in arrays else id for id in ids))


def check_supported(jobs: Iterable[SubmittedJob], verb: str) -> None:
    """Raise FarmError where the farm of some job can't cancel, hold or release jobs."""
    for farm, _ in by_farm(jobs):
        _commands(farm, verb)


def _commands(farm: Farm, verb: str) -> JobCommands:
    farm_type = farm_type_of(farm.type)
    verbs = {"cancel": farm_type.cancel, "hold": farm_type.hold, "release": farm_type.release}
    commands = verbs[verb]
    if commands is None:
        raise FarmError(
            f"farm {farm.name}: runx can't {verb} jobs of TYPE {farm.type}; do it in its own way"
        )
    return commands


def _execute(farm: Farm, commands: Sequence[Words], verb: str) -> None:
    farm_type = farm_type_of(farm.type)
    for command in commands:
        try:
            finished = call(command)
        except RunxError as error:
            raise FarmError(f"farm {farm.name}: {error}; {farm_type.package}") from None
        if finished.status and not (verb == "cancel" and farm_type.had_ended(finished)):
            raise FarmError(f"farm {farm.name}: {command[0]}: {finished.last_line}")


def ends_by_order(run: RunDir, attempt: int, job: SubmittedJob | None) -> bool:
    """Return whether a run can be ended by a written order alone, since its farm ends no jobs.

    Its job must execute run.sh for that, not the bare command.
    """
    if job is not None and farm_type_of(job.farm.type).cancel:
        return False
    file = run.submit_command
    submitted = file.read_text(errors="replace") if file.exists() else ""
    scripts = (run.script, run.script_of(attempt))
    names = (os.fspath(script.relative_to(run.path.parent)) for script in scripts)
    return any(name in submitted for name in names)
