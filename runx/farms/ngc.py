"""NGC: a run's directory is uploaded to a workspace, which its job then mounts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from runx.errors import SettingsError
from runx.farms import command
from runx.farms.base import Farm, FarmType, JobArray, StatusQuery, Submission, Words
from runx.farms.templates import flags
from runx.farms.words import plain_name, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir

_STATES = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "REQUESTING_RESOURCE": "queued",
    "RESOURCE_GRANTED": "queued",
    "RESOURCE_CONSUMPTION_REQUEST_IN_PROGRESS": "queued",
    "PENDING_STORAGE_CREATION": "queued",
    "STARTING": "queued",
    "RUNNING": "running",
    "PENDING_TERMINATION": "running",
    "PREEMPTED": "preempted",
    "PREEMPTED_BY_ADMIN": "preempted",
    "FINISHED_SUCCESS": "done",
    "FAILED": "failed",
    "FAILED_RUN_LIMIT_EXCEEDED": "timeout",
    "RESOURCE_LIMIT_EXCEEDED": "failed",
    "RESOURCE_GRANT_DENIED": "failed",
    "INFINITY_POOL_MISSING": "failed",
    "IM_INTERNAL_ERROR": "failed",
    "KILLED_BY_USER": "cancelled",
    "KILLED_BY_ADMIN": "cancelled",
    "CANCELED": "cancelled",
    "KILLED_BY_SYSTEM": "killed",
    "TERMINATED": "killed",
    "RESOURCE_RELEASED": "lost",
    "TASK_LOST": "lost",
}
"""The states of NGC's own command; that of a job whose state NGC itself calls UNKNOWN is unknown.

What was preempted is put back by NGC, or by its owner, and has not ended."""
_PLAIN = (
    "CREATED",
    "QUEUED",
    "RUNNING",
    "FINISHED_SUCCESS",
    "FAILED",
    "KILLED_BY_USER",
    "PREEMPTED",
)
"""States that say no more than that of a run."""
_PLACE = ("org", "team", "ace")
"""What tells where a job is, by its flag, or by a variable as NGC_CLI_ORG."""
SUBMIT = "ngc batch run"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that uploads a run and submits it; RESOURCES are given as they stand."""
    workspace, root = (_required(farm, key) for key in ("WORKSPACE", "NGC_LOGROOT"))
    job = array.jobs[0]
    path = f"{job.experiment}/{job.run}"
    upload = (
        *("ngc", "workspace", "upload"),
        *("--source", str(job.dir.path)),
        *("--destination", path),
        workspace,
    )
    _, words = command.split(farm.submit_cmd or SUBMIT)
    run = (
        *words,
        *(word for resource in job.resources for word in flags(resource)),
        *("--name", job_name(array)),
        *("--commandline", f"bash {shlex.quote(f'{root}/{path}/run.sh')} {job.attempt}"),
        *("--workspace", f"{workspace}:{root}:RW"),
        *("--format_type", "json"),
    )
    # The workspace is where the job is.
    environment = {
        _variable(resource.name): text
        for resource in job.resources
        if resource.name in _PLACE
        for text in texts(resource)
    }
    words = ("bash", "-c", f"{shlex.join(upload)} >&2 && {shlex.join(run)}")
    return Submission(words, environment)


def _variable(name: str) -> str:
    return f"NGC_CLI_{name.upper()}"


def place(answer: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the organization, team and ACE of a job, where they are not those of a user's config.

    >>> place("", {"NGC_CLI_ORG": "vision", "HOME": "/home/me"})
    {'org': 'vision'}
    """
    variables = {name: environment.get(_variable(name), "") for name in _PLACE}
    return {name: value for name, value in variables.items() if value}


def _required(farm: Farm, key: str) -> str:
    value = farm.options.get(key, "").rstrip("/")
    if not value:
        raise SettingsError(f"farm {farm.name}: {key} is missing; a job on NGC needs it")
    return value


def mounted(run: RunDir, farm: Farm) -> Path:
    """Return where a run's job writes, once the workspace is mounted here at NGC_LOGROOT."""
    return Path(farm.options.get("NGC_LOGROOT", "")) / run.path.parent.name / run.path.name


def job_name(array: JobArray) -> str:
    """Return the name of an array as ngc takes it."""
    return plain_name(array.name, 128)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the id in what ``ngc batch run --format_type json`` prints."""
    match = re.search(r'"id"\s*:\s*(\d+)', answer)
    return [match[1]] if match else []


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``ngc batch list`` lists."""
    if finished.status:
        return None
    statuses = {}
    for job in json.loads(finished.output):
        status = job.get("jobStatus") or {}
        name = str((job.get("jobDefinition") or {}).get("name", ""))
        word = str(status.get("status") or "")
        reason = str(status.get("statusDetails") or "") or ("" if word in _PLAIN else word)
        statuses[str(job["id"])] = JobStatus(_STATES.get(word, "unknown"), reason, name)
    return statuses


def _list(ids: Sequence[str], farm: Farm) -> Words:
    flags = _where(farm, _PLACE)
    return ("ngc", "batch", "list", *flags, "--duration", "30D", "--format_type", "json")


def _kill(ids: Sequence[str], farm: Farm) -> list[Words]:
    # A job's number says in which ACE it is.
    return [("ngc", "batch", "kill", *_where(farm, ("org", "team")), job) for job in ids]


def _where(farm: Farm, names: Sequence[str]) -> Words:
    """Return the flags that name the place of a farm's jobs.

    >>> _where(Farm("ngc", options={"org": "vision", "ace": "nv"}), ("org", "team"))
    ('--org', 'vision')
    """
    options = farm.options
    return tuple(word for name in names if name in options for word in (f"--{name}", options[name]))


FARM_TYPE = FarmType(
    programs=("ngc",),
    package="install NVIDIA's NGC command line, and log in with ngc config set",
    submission=submission,
    job_ids=job_ids,
    job_name=job_name,
    place=place,
    queries=(StatusQuery(_list, job_statuses),),
    cancel=_kill,
    workspace=mounted,
    portable=False,
    reads=("SUBMIT_CMD", "NGC_LOGROOT", "WORKSPACE"),
    together=False,
)
