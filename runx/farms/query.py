"""Schedulers asked: how submitted jobs stand, one call for each farm, and what they would take."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from runx.errors import FarmError, RunxError, SettingsError, StoreError
from runx.farms.base import Farm, FarmType, JobSpec, Question, SubmittedJob
from runx.farms.jobs import job_arrays
from runx.farms.registry import farm_type_of
from runx.farms.submit import ASK_SECONDS, execute, keep, largest_array
from runx.farms.words import chunked
from runx.locks import may_be_held
from runx.processes import ran
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.events import Attempt, JobStatus
from runx.rundir.files import read_json, read_lines
from runx.rundir.paths import ExperimentDir, RunDir

Warn = Callable[[str], None]


_Map: TypeAlias = dict[str, dict[str, Any]]
"""What a launch wrote of its jobs, by the names of their runs."""


def query(jobs: Iterable[SubmittedJob], warn: Warn) -> dict[tuple[str, str], JobStatus]:
    """Ask farms how jobs stand; return their statuses by farm and job id.

    A job that is only found by its name has its id kept; one that isn't found is ``gone``, under
    its run's path where it has no id. Farms that can't be asked are warned of.
    """
    statuses: dict[tuple[str, str], JobStatus] = {}
    for farm, several in by_farm(jobs):
        unnamed = [job for job in several if not job.id]
        ids = [job.id for job in several if job.id]
        answers = ask(farm_type_of(farm.type), farm, ids, warn, unnamed=bool(unnamed))
        if answers is None:
            continue
        found = _by_name(unnamed, answers) if unnamed else {}
        for job in several:
            id = job.id or found.get(job.run, "")
            if id in answers:
                statuses[farm.name, id] = answers[id]
            elif not job.is_pending:
                statuses[farm.name, id or str(job.run.path)] = JobStatus("gone")
    return statuses


def _by_name(jobs: Sequence[SubmittedJob], answers: Mapping[str, JobStatus]) -> dict[RunDir, str]:
    """Return the ids of jobs whose id was never kept, found by name and index, and keep them."""
    named = {(one.name, _index(id, one)): id for id, one in answers.items() if one.name}
    found = {job.run: named[job.name, job.task] for job in jobs if (job.name, job.task) in named}
    for job in jobs:
        if job.run in found:
            keep(job._replace(id=found[job.run]), "found again by its name")
    return found


def _index(id: str, status: JobStatus) -> int | None:
    """Return the index of a job in its array, from what the farm says or from its id.

    >>> _index("12_3", JobStatus("queued")), _index("12", JobStatus("queued"))
    (3, None)
    """
    if status.task is not None:
        return status.task
    match = re.match(r"\d+[_.\[](\d+)", id)
    return int(match[1]) if match else None


def by_farm(jobs: Iterable[SubmittedJob]) -> list[tuple[Farm, list[SubmittedJob]]]:
    """Put together the jobs that are asked about, or ended, at the same place."""
    farms: dict[str, tuple[Farm, list[SubmittedJob]]] = {}
    for job in jobs:
        key = json.dumps([job.farm.name, job.farm.type, sorted(job.farm.options.items())])
        farms.setdefault(key, (job.farm, []))[1].append(job)
    return list(farms.values())


def ask(
    farm_type: FarmType, farm: Farm, ids: Sequence[str], warn: Warn, unnamed: bool = False
) -> dict[str, JobStatus] | None:
    """Put a farm's questions in turn; None where none was answered, or it has none.

    ``unnamed``: the first is asked of all jobs too, since one is looked for whose id is not known.
    """
    statuses: dict[str, JobStatus] = {}
    answered, problems = False, list[str]()
    for question in farm_type.questions:
        unknown = [id for id in ids if id not in statuses]
        if answered and not unknown:
            break
        try:
            statuses = {**_answers(question, farm, unknown, unnamed and not answered), **statuses}
            answered = True
        except RunxError as error:
            problems.append(str(error))
    if problems and not answered:
        warn(f"farm {farm.name} can't be asked: {problems[0]}; states are from the runs' own files")
    return statuses if answered else None


def _answers(question: Question, farm: Farm, ids: Sequence[str], all: bool) -> dict[str, JobStatus]:
    """Ask one question, in as many commands as its ids take.

    Raises RunxError where an answer is none, or not as the scheduler's manual has it.
    """
    statuses: dict[str, JobStatus] = {}
    about = list(dict.fromkeys(map(question.about, ids)))
    commands = [question.words(some, farm) for some in chunked(about)]
    if all or not commands:
        commands.append(question.words((), farm))
    for command in dict.fromkeys(commands):
        finished = ran(command, timeout=ASK_SECONDS)
        try:
            answer = question.read(finished)
        except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
            raise RunxError(f"{command[0]}: its answer can't be read: {error!r}") from error
        if answer is None:
            raise RunxError(f"{command[0]}: {finished.complaint}")
        statuses.update(answer)
    return statuses


def jobs_of(runs: Iterable[RunDir], warn: Warn) -> list[SubmittedJob]:
    """Read the jobs of runs that have not ended well."""
    now = cache(clock)
    return submitted_jobs(
        ((run, read_attempts(run, now(run.path.parent), warn)) for run in runs), warn
    )


def submitted_jobs(
    runs: Iterable[tuple[RunDir, Sequence[Attempt]]], warn: Warn
) -> list[SubmittedJob]:
    """Return the jobs of runs, given their attempts, that have not ended well."""
    maps: dict[Path, _Map] = {}
    jobs = []
    for run, attempts in runs:
        try:
            job = _submitted_job(run, attempts, maps)
        except StoreError as error:
            warn(str(error))
            continue
        if job is not None:
            jobs.append(job)
    return jobs


def _submitted_job(
    run: RunDir, attempts: Sequence[Attempt], maps: dict[Path, _Map]
) -> SubmittedJob | None:
    """Return the job of a run's latest attempt that has one; a requeued attempt has the one before.

    Where its id was never kept, the launch wrote its name before it was submitted.
    """
    ended = attempts[-1].event("ended") if attempts else None
    if ended and ended.details.get("code") == 0:
        return None
    for attempt in reversed(attempts):
        number = attempt.number
        job = attempt.job
        if job and job.refused:
            continue
        if job:
            farm = Farm(job.farm, type=job.type, options=job.options)
            # Where the address is damaged, which has been warned of, nobody can be asked.
            return SubmittedJob(run, number, farm, job.id or "", job.name) if job.farm else None
        if attempt.launch is not None:
            entry = _entry(run, attempt.launch, maps) if attempt.farm else None
            if entry is None:
                return None
            name, task, pending = entry["name"], entry["task"], entry["pending"]
            return SubmittedJob(run, number, _farm(entry), "", name, task, pending)
    return None


def _farm(job: Mapping[str, Any]) -> Farm:
    type, options = str(job.get("type", "command")), job.get("options", {})
    return Farm(str(job.get("farm")), type=type, options=options)


def _entry(run: RunDir, launch: object, maps: dict[Path, _Map]) -> dict[str, Any] | None:
    """Return what a launch wrote of a run's job before it submitted it."""
    if not launch:
        return None
    folder = ExperimentDir(run.path.parent).jobs(str(launch))
    if folder not in maps:
        maps[folder] = _map(folder)
    return maps[folder].get(run.path.name)


def _map(folder: Path) -> _Map:
    pending = may_be_held(folder / "lock")
    entries = (json.loads(line) for line in read_lines(folder / "jobs.jsonl"))
    return {
        name: {**entry, "pending": pending, "task": task if entry["array"] else None}
        for entry in entries
        for task, name in enumerate(entry["runs"])
    }


def whole_jobs(jobs: Iterable[SubmittedJob], meant: Container[RunDir]) -> list[str]:
    """Return the names of the jobs of which every run is meant."""
    maps: dict[Path, _Map] = {}
    names: dict[str, None] = {}
    for job in jobs:
        entry = _entry(job.run, read_json(job.run.claim(job.attempt)).get("launch"), maps)
        beside = job.run.path.parent
        if entry and all(RunDir(beside / name) in meant for name in entry["runs"]):
            names[entry["name"]] = None
    return list(names)


def would_take(
    farm: Farm | None, jobs: Sequence[JobSpec], folder: Path, say: Callable[[str], None]
) -> None:
    """Have every job's script and words looked at by its scheduler; nothing is submitted.

    Raises SettingsError where it can't be asked that, FarmError where it refuses one.
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
            moved = {str(array.script): str(script), f"--chdir={array.home}": "--chdir=/"}
            words = tuple(moved.get(word, word) for word in submission.words)
            finished = execute(replace(submission, words=words), farm, farm_type)
            if finished.status:
                raise FarmError(f"farm {farm.name} would refuse {array.name}: {finished.complaint}")
            say(f"{array.name}: {finished.complaint}")
