"""What a launch waits for: what has ended is judged from the disk, the others by their jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runx.disk.facts import clock, read_attempts, state_said
from runx.errors import RunxError
from runx.farms import farm_type_of
from runx.farms.base import Farm
from runx.reading.select import select
from runx.schedulers.query import query, submitted_jobs


def job_ids(
    names: Sequence[str], logroot: Path, cwd: Path, farm: Farm | None, warn: Callable[[str], None]
) -> tuple[str, ...]:
    """Give the live jobs that a launch must wait for; what is done needs no waiting.

    Slurm takes a job that it has forgotten for done: an id is passed on only while it is alive.
    """
    runs = select(names, logroot, cwd)
    known = {run: read_attempts(run, clock(run.path.parent), warn) for run in runs}
    jobs = {job.run: job for job in submitted_jobs(known.items(), warn)}
    said = query(jobs.values(), warn)
    found = []
    for run in runs:
        stands, _ = state_said(run, known[run], said, clock(run.path.parent))
        if stands.name == "done":
            continue
        job = jobs.get(run)
        if stands.name not in ("queued", "running", "preempted"):
            raise RunxError(
                f"--after: {run.path.name} is {stands}; runs after it would never start"
            )
        if farm is None or job is None or not job.id or job.farm.name != farm.name:
            raise RunxError(
                f"--after: {run.path.name} is {stands.name}, and not with the farm that would wait"
                " for it; launch when it is done"
            )
        found.append(job.id)
    if found and farm is not None and farm_type_of(farm.type).waits != "done":
        raise RunxError(f"--after: jobs of TYPE {farm.type} can't wait for others")
    return tuple(found)
