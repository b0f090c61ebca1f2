"""Jobs of runs, and their statuses by their schedulers: one query of each farm for all its jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache

from runx.errors import RunxError, StoreError
from runx.farms.ask import FarmAnswer, ask, explained
from runx.farms.base import Farm, SubmittedJob, Warn
from runx.farms.jobfiles import (
    JobsIn,
    launched_job,
    launched_jobs,
    logins,
    name_of,
    owner_of,
    predecessors,
    write_job,
)
from runx.farms.places import check_place
from runx.farms.registry import farm_type_of
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.events import DEPENDENCY, Attempt, JobStatus
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir
from runx.rundir.state import ENDED_BADLY, state

_CUTS = (10, 15)
"""Lengths to which some schedulers cut the names of jobs."""


def submitted_jobs(
    runs: Iterable[tuple[RunDir, Sequence[Attempt]]], warn: Warn
) -> list[SubmittedJob]:
    """Return the jobs of runs, given their attempts, that have not ended well."""
    jobs_in = cache(launched_jobs)
    jobs = []
    for run, attempts in runs:
        try:
            job = _submitted_job(run, attempts, jobs_in)
        except StoreError as error:
            warn(str(error))
            continue
        if job is not None:
            jobs.append(job)
    return jobs


def _submitted_job(
    run: RunDir, attempts: Sequence[Attempt], jobs_in: JobsIn
) -> SubmittedJob | None:
    """Return the job of a run's latest attempt that has one; a requeued attempt has the one before.

    Where its id was never recorded, the launch wrote its name before it was submitted.
    """
    ended = attempts[-1].event("ended") if attempts else None
    if ended and ended.details.get("code") == 0:
        return None
    for attempt in reversed(attempts):
        number = attempt.number
        address = attempt.job
        if address and address.refused:
            continue
        if address:
            # Where the address is damaged, which has been warned of, nobody can be asked.
            farm = Farm(address.farm, type=address.type, options=address.options)
            id, name = address.id or "", address.name
            job = SubmittedJob(
                run, number, farm, id, name, owner=address.owner, shares=address.shares
            )
            return job if address.farm else None
        if attempt.launch is not None:
            of = launched_job(run, attempt.launch, jobs_in) if attempt.farm else None
            if of is None:
                return None
            shares = len(of.together) > 1
            return SubmittedJob(
                run, number, of.farm, "", of.name, of.task, of.is_pending, shares=shares
            )
    return None


def query(jobs: Iterable[SubmittedJob], warn: Warn) -> dict[tuple[str, str], JobStatus]:
    """Query farms and return the statuses of jobs by their keys.

    A job that is found by its name alone has its id recorded. One that isn't found is ``gone`` or
    ``unseen``, as is one whose id has another name. Farms that can't be asked are warned of.
    """
    statuses: dict[tuple[str, str], JobStatus] = {}
    for farm, farm_jobs in by_farm(jobs):
        answer = _answer_of(farm, farm_jobs, warn)
        if answer is None:
            continue
        unnamed = [job for job in farm_jobs if not job.id]
        recovered = _recover_ids(unnamed, answer.statuses) if unnamed else {}
        for job in farm_jobs:
            named = job._replace(id=job.id or recovered.get(job.run, ""))
            if status := _status_of(named, answer):
                # Of an id that couldn't be recorded, a run's own files don't know.
                statuses |= {job.key: status, named.key: status}
    return statuses


def _answer_of(farm: Farm, jobs: Sequence[SubmittedJob], warn: Warn) -> FarmAnswer | None:
    """Return what a farm answers about its jobs, None where its type asks for nothing."""
    try:
        farm_type = farm_type_of(farm.type)
        if farm_type.located:
            check_place(farm)
    except RunxError as error:
        warn(f"farm {farm.name} can't be asked: {error}")
        return FarmAnswer({}, f"{farm.name} can't be asked")
    if not farm_type.queries:
        return None
    ids = [job.id for job in jobs if job.id]
    answer = ask(farm, farm_type.queries, ids, warn, all=len(ids) < len(jobs))
    if farm_type.reasons is None:
        return answer
    return explained(answer, farm, farm_type.reasons, {job.name for job in jobs})


def _status_of(job: SubmittedJob, answer: FarmAnswer) -> JobStatus | None:
    """Return the status of a job, None while it may still be on its way to its scheduler."""
    status = answer.statuses.get(job.id)
    if status is None:
        return None if job.is_pending else _absent(job, answer)
    if is_named(job.name, status.name):
        return _with_predecessor(job, status) if status.reason == DEPENDENCY else status
    reason = f"job {job.id} of {job.farm.name} is {status.name}, another one"
    return JobStatus("unseen", reason, status.name)


def _with_predecessor(job: SubmittedJob, status: JobStatus) -> JobStatus:
    """Return a status of a job whose dependency failed with the name of what it waited for."""
    with suppress(StoreError):
        launch = read_json(job.run.claim(job.attempt)).get("launch")
        for run in predecessors(job.run, launch):
            attempts = read_attempts(run, clock(run.experiment), lambda _: None)
            if (now := state(attempts)).name in (*ENDED_BADLY, "cancelled"):
                name = f"{run.experiment.name}/{name_of(run)}"
                return status._replace(reason=DEPENDENCY.replace("failed", f"{name} {now.name}"))
    return status


def _absent(job: SubmittedJob, answer: FarmAnswer) -> JobStatus:
    """Return the status of a job that its scheduler doesn't list."""
    if answer.hidden:
        return JobStatus("unseen", answer.hidden)
    owner = owner_of(job)
    if answer.sees_all or owner in logins():
        return JobStatus("gone")
    return JobStatus("unseen", f"not seen by you: its job is {owner}'s")


def is_named(name: str, listed: str) -> bool:
    """Return whether a scheduler may list a job of this name so; some cut names, or add an index.

    >>> is_named("sweep_wise-owl", "sweep_wise-owl"), is_named("sweep_wise-owl", "sweep")
    (True, False)
    >>> is_named("sweep_wise-owl", "sweep_wise"), is_named("sweep_wise-owl", "*_wise-owl")
    (True, True)
    """
    listed = re.sub(r"\.?\[.*\]$", "", listed)
    if not name or not listed or listed == name:
        return True
    if listed.startswith("*"):
        return len(listed) >= _CUTS[0] and name.endswith(listed[1:])
    return len(listed) in _CUTS and name.startswith(listed)


def _recover_ids(
    jobs: Sequence[SubmittedJob], statuses: Mapping[str, JobStatus]
) -> dict[RunDir, str]:
    """Return the ids of jobs whose id was never recorded, by name and index, and record them."""
    named = {(status.name, _task(id, status)): id for id, status in statuses.items() if status.name}
    # Some schedulers list a single job as the first of several.
    named = {**{(name, None): id for (name, task), id in named.items() if task == 0}, **named}
    ids = {job.run: named[job.name, job.task] for job in jobs if (job.name, job.task) in named}
    for job in jobs:
        if job.run in ids:
            found = job._replace(id=ids[job.run], owner=owner_of(job))
            with suppress(OSError):  # Others' runs can't be written to.
                write_job(found, "found again by its name")
    return ids


def _task(id: str, status: JobStatus) -> int | None:
    """Return the index of a job in its array, by its status or else by its id.

    >>> _task("12_3", JobStatus("queued")), _task("12", JobStatus("queued"))
    (3, None)
    """
    if status.task is not None:
        return status.task
    # After a dot it may be a server's name that begins with a digit.
    match = re.match(r"\d+(?:[_\[](\d+)|\.(\d+)$)", id)
    return int(match[1] or match[2]) if match else None


def by_farm(jobs: Iterable[SubmittedJob]) -> list[tuple[Farm, list[SubmittedJob]]]:
    """Return the jobs of each farm together; of farms of one name, each place is its own."""
    farms: dict[str, tuple[Farm, list[SubmittedJob]]] = {}
    for job in jobs:
        key = json.dumps([job.farm.name, job.farm.type, sorted(job.farm.options.items())])
        farms.setdefault(key, (job.farm, []))[1].append(job)
    return list(farms.values())


def together(job: SubmittedJob, jobs_in: JobsIn = launched_jobs) -> list[RunDir]:
    """Return the runs that a job executes, by what its launch wrote.

    ``jobs_in`` is launched_jobs, cached by whoever has many jobs of one launch.
    """
    launch = read_json(job.run.claim(job.attempt)).get("launch")
    launched = launched_job(job.run, launch, jobs_in)
    return [RunDir(job.run.experiment / name) for name in launched.together] if launched else []


def complete_arrays(
    jobs: Iterable[SubmittedJob], runs: Container[RunDir]
) -> dict[str, SubmittedJob]:
    """Return the job arrays of which every run is among ``runs``: a job of each, by its name."""
    jobs_in = cache(launched_jobs)
    names: dict[str, SubmittedJob] = {}
    for job in jobs:
        launch = read_json(job.run.claim(job.attempt)).get("launch")
        array = launched_job(job.run, launch, jobs_in)
        folder = job.run.experiment
        if array and all(RunDir(folder / name) in runs for name in array.runs):
            names[array.name] = job
    return names
