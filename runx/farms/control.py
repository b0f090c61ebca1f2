"""Jobs ended, held and released by their schedulers."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from runx.errors import FarmError, RunxError
from runx.farms.base import Farm, SubmittedJob, Words
from runx.farms.query import by_farm, whole_jobs
from runx.farms.registry import farm_type_of
from runx.farms.submit import ASK_SECONDS
from runx.processes import ran
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir

Statuses: TypeAlias = Mapping[tuple[str, str], JobStatus]


ALIVE = ("queued", "running", "preempted")
"""States in which there is something to end, hold or release."""


def change(jobs: Iterable[SubmittedJob], verb: str, statuses: Statuses) -> int:
    """Have each farm cancel, hold or release jobs; return of how many it was told.

    Jobs that are over, by their statuses, are left out. FarmError where a farm can't or won't.
    """
    count = 0
    for farm, several in by_farm(jobs):
        known = [(job.id, statuses.get((farm.name, job.id))) for job in several if job.id]
        ids = [id for id, status in known if status is None or status.state in ALIVE]
        if ids:
            _execute(farm, _way(farm, verb)(ids, farm), verb)
        count += len(ids)
    return count


def cancel(jobs: Sequence[SubmittedJob], meant: Container[RunDir], statuses: Statuses) -> None:
    """Have jobs cancelled: an array at once where all of its runs are meant, and its farm can."""
    for farm, several in by_farm(jobs):
        way = farm_type_of(farm.type).cancel_whole
        names = whole_jobs(several, meant) if way else []
        if way and names:
            _execute(farm, way(names, farm), "cancel")
    change(jobs, "cancel", statuses)


def check_known(jobs: Iterable[SubmittedJob], verb: str) -> None:
    """Raise FarmError where some farm has no way to cancel, hold or release jobs."""
    for farm, _ in by_farm(jobs):
        _way(farm, verb)


def heeds_orders(run: RunDir, attempt: int, job: SubmittedJob | None) -> bool:
    """Return whether a run ends by an order beside it alone, since its farm can't end jobs.

    Its job must execute run.sh for that, not the bare command.
    """
    if job is not None and farm_type_of(job.farm.type).cancel:
        return False
    file = run.submit_command
    submitted = file.read_text(errors="replace") if file.exists() else ""
    scripts = (run.script, run.script_of(attempt))
    names = (os.fspath(script.relative_to(run.path.parent)) for script in scripts)
    return any(name in submitted for name in names)


def _way(farm: Farm, verb: str) -> Callable[[Sequence[str], Farm], Sequence[Words]]:
    farm_type = farm_type_of(farm.type)
    ways = {"cancel": farm_type.cancel, "hold": farm_type.hold, "release": farm_type.release}
    way = ways[verb]
    if way is None:
        raise FarmError(
            f"farm {farm.name}: runx can't {verb} jobs of TYPE {farm.type}; do it in its own way"
        )
    return way


def _execute(farm: Farm, commands: Sequence[Words], verb: str) -> None:
    farm_type = farm_type_of(farm.type)
    for command in commands:
        try:
            finished = ran(command, timeout=ASK_SECONDS)
        except RunxError as error:
            raise FarmError(f"farm {farm.name}: {error}; {farm_type.package}") from None
        if finished.status and not (verb == "cancel" and farm_type.was_over(finished)):
            raise FarmError(f"farm {farm.name}: {command[0]}: {finished.complaint}")
