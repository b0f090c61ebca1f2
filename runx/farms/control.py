"""Jobs cancelled, held and released by their schedulers."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from runx.errors import FarmError, RunxError, SettingsError
from runx.farms.base import Farm, JobCommands, SubmittedJob, Words
from runx.farms.commands import call
from runx.farms.query import by_farm, complete_arrays, query
from runx.farms.registry import farm_type_of
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir
from runx.rundir.state import UNKNOWN

Statuses: TypeAlias = Mapping[tuple[str, str], JobStatus]
ALIVE = ("queued", "running", "preempted")
"""States in which there is something to cancel, hold or release."""


def cancel(
    jobs: Iterable[SubmittedJob], runs: Container[RunDir], statuses: Statuses
) -> dict[RunDir, str]:
    """Cancel jobs: an array at once where all its runs are among ``runs``, and its farm can.

    Returns the runs whose farm would not, and its words; other farms are not kept from theirs.
    """
    return _changed(jobs, "cancel", (*ALIVE, UNKNOWN), statuses, runs)


def change(
    jobs: Iterable[SubmittedJob], verb: str, statuses: Statuses, runs: Container[RunDir] = ()
) -> dict[RunDir, str]:
    """Hold or release jobs that wait; return the runs whose farm would not, and its words.

    Where all runs of an array are among ``runs``, its own id is used if its farm has one.
    """
    return _changed(jobs, verb, ("queued",), statuses, runs)


def _changed(
    jobs: Iterable[SubmittedJob],
    verb: str,
    states: Container[str],
    statuses: Statuses,
    runs: Container[RunDir],
) -> dict[RunDir, str]:
    """Do something with jobs that are in some state, or whose farm has no states to ask for."""
    refused: dict[RunDir, str] = {}
    for farm, farm_jobs in by_farm(jobs):
        is_asked = bool(farm_type_of(farm.type).queries)
        chosen = [job for job in farm_jobs if job.id]
        if is_asked:
            chosen = [job for job in chosen if _state(job, statuses) in states]
        try:
            if chosen:
                complaints = _execute_all(farm, verb, chosen, runs, statuses)
                refused |= {
                    job.run: line for job in chosen for line in complaints if job.id in line.split()
                }
                refused |= _over(farm, chosen) if verb == "hold" else {}
        except FarmError as error:
            refused |= {job.run: str(error) for job in chosen}
    return refused


def _over(farm: Farm, jobs: Sequence[SubmittedJob]) -> dict[RunDir, str]:
    """Return the runs of held jobs that had ended before, where their farm answers as for others.

    Kubernetes suspends a Job that is over, too.
    """
    if not farm_type_of(farm.type).suspends:
        return {}
    after = query(jobs, lambda line: None)
    states = {job.run: _state(job, after) for job in jobs}
    return {run: f"it is {state}" for run, state in states.items() if state not in ("", *ALIVE)}


def _state(job: SubmittedJob, statuses: Statuses) -> str:
    status = statuses.get(job.key)
    return status.state if status else ""


def _execute_all(
    farm: Farm,
    verb: str,
    jobs: Sequence[SubmittedJob],
    runs: Container[RunDir],
    statuses: Statuses,
) -> list[str]:
    """Execute every command that does something with jobs; then raise FarmError if any failed.

    Returns the lines in which those that did it to other jobs say to which they couldn't.
    """
    cancel_arrays = farm_type_of(farm.type).cancel_arrays if verb == "cancel" else None
    names = list(complete_arrays(jobs, runs)) if cancel_arrays else []
    commands = [*cancel_arrays(names, farm)] if cancel_arrays and names else []
    suspends = verb == "hold" and farm_type_of(farm.type).suspends
    running = [key[1] for key, each in statuses.items() if suspends and each.state == "running"]
    ids = _addressed(farm, jobs, runs, running)
    problems, complaints = list[FarmError](), list[str]()
    for command in [*commands, *commands_for(farm, verb)(ids, farm)]:
        try:
            complaints += _execute(farm, command, verb)
        except FarmError as error:
            problems.append(error)
    if problems:
        raise problems[0]
    return complaints


def _addressed(
    farm: Farm, jobs: Sequence[SubmittedJob], runs: Container[RunDir], apart: Sequence[str]
) -> list[str]:
    """Return job ids, with the id of an array for those of its jobs where all its runs are meant.

    Those of the jobs ``apart`` are not meant as a whole.
    """
    array_of = farm_type_of(farm.type).array_of
    ids = list(dict.fromkeys(job.id for job in jobs))
    if array_of is None:
        return ids
    arrays = {array_of(job.id) for job in complete_arrays(jobs, runs).values() if job.id}
    arrays -= {array_of(id) for id in apart}
    return list(dict.fromkeys(array_of(id) if array_of(id) in arrays else id for id in ids))


def commands_for(farm: Farm, verb: str) -> JobCommands:
    """Return what gives the commands that cancel, hold or release jobs of a farm.

    Raises FarmError where it can't.
    """
    try:
        farm_type = farm_type_of(farm.type)
    except SettingsError as error:
        raise FarmError(f"farm {farm.name}: {error}") from None
    verbs = {"cancel": farm_type.cancel, "hold": farm_type.hold, "release": farm_type.release}
    commands = verbs[verb]
    if commands is None:
        raise FarmError(
            f"farm {farm.name}: runx can't {verb} jobs of TYPE {farm.type}; do it in its own way"
        )
    return commands


def _execute(farm: Farm, command: Words, verb: str) -> list[str]:
    """Execute a command; return what it says of jobs that are not there, where it went well."""
    farm_type = farm_type_of(farm.type)
    try:
        finished = call(command)
    except RunxError as error:
        raise FarmError(f"farm {farm.name}: {error}; {farm_type.package}") from None
    had_ended = farm_type.had_ended(finished)
    if finished.status and not (verb == "cancel" and had_ended):
        raise FarmError(f"farm {farm.name}: {command[0]}: {finished.last_line}")
    return finished.errors.splitlines() if had_ended and verb != "cancel" else []


def ends_by_order(run: RunDir, attempt: int, job: SubmittedJob | None) -> bool:
    """Return whether a run can be ended by a written order alone, since its farm ends no jobs.

    Its job must execute run.sh for that, not the bare command.
    """
    try:
        if job is not None and farm_type_of(job.farm.type).cancel:
            return False
    except SettingsError:
        return False
    file = run.submit_command
    submitted = file.read_text(errors="replace") if file.exists() else ""
    scripts = (run.script, run.script_of(attempt))
    names = (os.fspath(script.relative_to(run.path.parent)) for script in scripts)
    return any(name in submitted for name in names)
