"""Jobs of runs, and their statuses by their schedulers: one query of each farm for all its jobs."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from runx.errors import FarmError, RunxError, SettingsError, StoreError
from runx.farms.base import Farm, JobSpec, StatusQuery, SubmittedJob
from runx.farms.jobfiles import LaunchedJob, launched_job, launched_jobs, write_job
from runx.farms.jobs import job_arrays
from runx.farms.registry import farm_type_of
from runx.farms.submit import QUERY_SECONDS, execute, largest_array
from runx.farms.words import CHUNK
from runx.processes import run_command
from runx.rundir.attempts import attempts_of
from runx.rundir.events import Attempt, JobStatus
from runx.rundir.files import read_json
from runx.rundir.paths import RunDir

Warn = Callable[[str], None]


def jobs_of(runs: Iterable[RunDir], warn: Warn) -> list[SubmittedJob]:
    """Return the jobs of runs that have not ended well."""
    return submitted_jobs(attempts_of(runs, warn).items(), warn)


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
    run: RunDir, attempts: Sequence[Attempt], jobs_in: Callable[[Path], dict[str, LaunchedJob]]
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
            return SubmittedJob(run, number, farm, id, name) if address.farm else None
        if attempt.launch is not None:
            job = launched_job(run, attempt.launch, jobs_in) if attempt.farm else None
            if job is None:
                return None
            return SubmittedJob(run, number, job.farm, "", job.name, job.task, job.is_pending)
    return None


def query(jobs: Iterable[SubmittedJob], warn: Warn) -> dict[tuple[str, str], JobStatus]:
    """Query farms and return the statuses of jobs by farm and job id.

    A job that is found by its name alone has its id recorded; one that isn't found is ``gone``,
    under its run's path where it has no id. Farms that can't be asked are warned of.
    """
    statuses: dict[tuple[str, str], JobStatus] = {}
    for farm, farm_jobs in by_farm(jobs):
        unnamed = [job for job in farm_jobs if not job.id]
        ids = [job.id for job in farm_jobs if job.id]
        queries = farm_type_of(farm.type).queries
        answer = farm_statuses(farm, queries, ids, warn, all=bool(unnamed))
        if answer is None:
            continue
        recovered = _recover_ids(unnamed, answer) if unnamed else {}
        for job in farm_jobs:
            id = job.id or recovered.get(job.run, "")
            if id in answer:
                statuses[farm.name, id] = answer[id]
            elif not job.is_pending:
                statuses[farm.name, id or str(job.run.path)] = JobStatus("gone")
    return statuses


def _recover_ids(
    jobs: Sequence[SubmittedJob], statuses: Mapping[str, JobStatus]
) -> dict[RunDir, str]:
    """Return the ids of jobs whose id was never recorded, by name and index, and record them."""
    named = {(status.name, _task(id, status)): id for id, status in statuses.items() if status.name}
    ids = {job.run: named[job.name, job.task] for job in jobs if (job.name, job.task) in named}
    for job in jobs:
        if job.run in ids:
            write_job(job._replace(id=ids[job.run]), "found again by its name")
    return ids


def _task(id: str, status: JobStatus) -> int | None:
    """Return the index of a job in its array, by its status or else by its id.

    >>> _task("12_3", JobStatus("queued")), _task("12", JobStatus("queued"))
    (3, None)
    """
    if status.task is not None:
        return status.task
    match = re.match(r"\d+[_.\[](\d+)", id)
    return int(match[1]) if match else None


def by_farm(jobs: Iterable[SubmittedJob]) -> list[tuple[Farm, list[SubmittedJob]]]:
    """Return the jobs of each farm together; of farms of one name, each place is its own."""
    farms: dict[str, tuple[Farm, list[SubmittedJob]]] = {}
    for job in jobs:
        key = json.dumps([job.farm.name, job.farm.type, sorted(job.farm.options.items())])
        farms.setdefault(key, (job.farm, []))[1].append(job)
    return list(farms.values())


def farm_statuses(
    farm: Farm,
    queries: Iterable[StatusQuery],
    ids: Sequence[str],
    warn: Warn,
    all: bool = False,
) -> dict[str, JobStatus] | None:
    """Return the statuses of a farm's jobs by their ids, None where no query is answered.

    ``all``: the first query that is answered is made for all jobs, too, to find one without an id.
    """
    statuses: dict[str, JobStatus] = {}
    answered, problems = False, list[str]()
    for query in queries:
        unknown = [id for id in ids if id not in statuses]
        if answered and not unknown:
            break
        try:
            statuses = {**_answer(query, farm, unknown, all and not answered), **statuses}
            answered = True
        except RunxError as error:
            problems.append(str(error))
    if problems and not answered:
        warn(f"farm {farm.name} can't be asked: {problems[0]}; states are from the runs' own files")
    return statuses if answered else None


def _answer(query: StatusQuery, farm: Farm, ids: Sequence[str], all: bool) -> dict[str, JobStatus]:
    """Return what a query returns of jobs, made in as many commands as their ids take.

    Raises RunxError where the scheduler can't be asked, or its answer can't be read.
    """
    statuses: dict[str, JobStatus] = {}
    asked = list(dict.fromkeys(map(query.query_id, ids)))
    chunks = [asked[start : start + CHUNK] for start in range(0, len(asked), CHUNK)]
    commands = [query.command(chunk, farm) for chunk in chunks]
    if all or not commands:
        commands.append(query.command((), farm))
    for command in dict.fromkeys(commands):
        finished = run_command(command, timeout=QUERY_SECONDS)
        try:
            answer = query.read(finished)
        except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
            raise RunxError(f"{command[0]}: its answer can't be read: {error!r}") from error
        if answer is None:
            raise RunxError(f"{command[0]}: {finished.last_line}")
        statuses.update(answer)
    return statuses


def complete_arrays(jobs: Iterable[SubmittedJob], runs: Container[RunDir]) -> list[str]:
    """Return the names of the job arrays of which every run is among ``runs``."""
    jobs_in = cache(launched_jobs)
    names: dict[str, None] = {}
    for job in jobs:
        launch = read_json(job.run.claim(job.attempt)).get("launch")
        array = launched_job(job.run, launch, jobs_in)
        folder = job.run.path.parent
        if array and all(RunDir(folder / name) in runs for name in array.runs):
            names[array.name] = None
    return list(names)


def test_submission(
    farm: Farm | None, jobs: Sequence[JobSpec], folder: Path, say: Callable[[str], None]
) -> None:
    """Have every job's script and options checked by its scheduler; nothing is submitted.

    Raises SettingsError where it has no command for that, FarmError where it refuses one.
    """
    farm_type = farm_type_of(farm.type) if farm else None
    if farm is None or farm_type is None or farm_type.test_only is None:
        name = f"a farm of TYPE {farm.type}" if farm else "this machine"
        raise SettingsError(f"--test-only: {name} can't be asked that; -n shows what would be run")
    with tempfile.TemporaryDirectory() as scripts:
        for array in job_arrays(jobs, farm, farm_type, folder, largest_array(farm)):
            script = Path(scripts) / array.script.name
            script.write_text(farm_type.script(array, farm) if farm_type.script else "")
            submission = farm_type.test_only(farm_type.submission(array, farm))
            moved = {str(array.script): str(script), f"--chdir={array.experiment_dir}": "--chdir=/"}
            words = tuple(moved.get(word, word) for word in submission.words)
            finished = execute(replace(submission, words=words), farm, farm_type)
            if finished.status:
                raise FarmError(f"farm {farm.name} would refuse {array.name}: {finished.last_line}")
            say(f"{array.name}: {finished.last_line}")
