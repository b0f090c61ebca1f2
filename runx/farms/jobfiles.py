"""Files about jobs: a launch's jobs.jsonl, written before it submits, and job.json of attempts.

Where a launcher is killed before it has written the id of a job, jobs.jsonl has the job's name.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

from runx.farms.base import Farm, JobArray, JobSpec, SubmittedJob
from runx.farms.registry import farm_type_of
from runx.locks import may_be_held
from runx.rundir.files import VERSION, append_line, read_json, read_lines, to_json, write_whole
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.workspace import link_workspace

JOBS, LOCK, PREDECESSORS = "jobs.jsonl", "lock", "after.json"


class LaunchedJob(NamedTuple):
    """What a launch wrote of a run's job before it submitted it.

    ``runs`` are the names of all runs of its array, ``task`` is its index there. ``is_pending``:
    the launch may still be submitting. ``together`` are the names of all that its job executes.
    """

    name: str
    farm: Farm
    runs: Sequence[str]
    task: int | None
    is_pending: bool
    together: Sequence[str] = ()


JobsIn: TypeAlias = Callable[[Path], dict[str, LaunchedJob]]
"""Returns the jobs of a launch by the names of their runs, given its folder: see launched_jobs."""


def append_array(array: JobArray, farm: Farm, name: str) -> None:
    """Write which index of an array is which run, before it is submitted as ``name``."""
    entry = {
        "version": VERSION,
        "number": array.number,
        "name": name,
        "farm": farm.name,
        "type": farm.type,
        "options": dict(farm.options),
        "array": array.is_array,
        "runs": [job.run for job in array.jobs],
        "attempts": [job.attempt for job in array.jobs],
    }
    if array.shares:
        entry["together"] = [[member.run for member in job.members] for job in array.jobs]
    append_line(array.folder / JOBS, json.dumps(entry))


def launched_jobs(folder: Path) -> dict[str, LaunchedJob]:
    """Return the jobs of a launch by the names of their runs; the last line about a run counts.

    ``folder`` is where the launch keeps the files of its jobs.
    """
    pending = may_be_held(folder / LOCK)
    jobs: dict[str, LaunchedJob] = {}
    for entry in map(json.loads, read_lines(folder / JOBS)):
        type, options = str(entry.get("type", "command")), entry.get("options", {})
        farm = Farm(str(entry.get("farm")), type=type, options=options)
        together = entry.get("together") or [[run] for run in entry["runs"]]
        runs = [run for members in together for run in members]
        for task, members in enumerate(together):
            index = task if entry["array"] else None
            job = LaunchedJob(entry["name"], farm, runs, index, pending, members)
            jobs |= dict.fromkeys(members, job)
    return jobs


def launched_job(run: RunDir, launch: str | None, jobs_in: JobsIn) -> LaunchedJob | None:
    """Return the job of a run that a launch was to submit, if there is one.

    ``jobs_in`` is launched_jobs, cached by whoever has many runs of one launch.
    """
    if not launch:
        return None
    return jobs_in(ExperimentDir(run.experiment).jobs(launch)).get(name_of(run))


def name_of(run: RunDir) -> str:
    """Return the name of a run, or of a step: its path below its experiment."""
    return str(run.path.relative_to(run.experiment))


def write_predecessors(folder: Path, runs: Iterable[RunDir]) -> None:
    """Write which runs the jobs of a launch wait for."""
    names = [f"{run.experiment.name}/{name_of(run)}" for run in runs]
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PREDECESSORS, to_json({"runs": names}))


def predecessors(run: RunDir, launch: str | None) -> list[RunDir]:
    """Return the runs for which a run's job was to wait, by its launch."""
    file = ExperimentDir(run.experiment).jobs(launch or "") / PREDECESSORS
    if not launch or not file.exists():
        return []
    logroot = run.experiment.parent
    return [RunDir(logroot / str(name)) for name in read_json(file).get("runs", ())]


def write_job(job: SubmittedJob, answer: str) -> None:
    """Write the job of an attempt, and link to where else the job writes.

    It is this user's, unless it says whose it is.
    """
    farm, owner = job.farm, job.owner or logins()[0]
    address = {"farm": farm.name, "type": farm.type, "options": dict(farm.options), "owner": owner}
    content = {**address, "id": job.id, "name": job.name, "answer": answer, "time": time.time()}
    content |= {"shares": True} if job.shares else {}
    write_whole(job.run.job(job.attempt), to_json(content))
    workspace = farm_type_of(farm.type).workspace
    if workspace:
        link_workspace(job.run, workspace(job.run, farm))


def write_refusal(job: JobSpec, farm: Farm, answer: str) -> None:
    """Write that a farm refused the job of an attempt."""
    content = {"farm": farm.name, "refused": True, "answer": answer, "time": time.time()}
    write_whole(job.dir.job(job.attempt), to_json(content))


@cache
def logins() -> tuple[str, ...]:
    """Return the names by which this user may be recorded, the one to record first.

    Where a container has no name for a user, the number stands for it.
    """
    uid = os.getuid()
    return tuple(dict.fromkeys((_login(uid), str(uid))))


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def owner_of(job: SubmittedJob) -> str:
    """Return the login that submitted a job: as recorded, else whose its first file is.

    >>> from runx.farms.base import Farm
    >>> owner_of(SubmittedJob(RunDir(Path("/x")), 1, Farm("f"), "7", "n", owner="alice"))
    'alice'
    """
    for file in (job.run.job(job.attempt), job.run.claim(job.attempt)) if not job.owner else ():
        with suppress(OSError):
            return _login(file.stat().st_uid)
    return job.owner
