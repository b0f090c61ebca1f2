"""NGC: a run's directory is uploaded to a workspace, which its job then mounts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from runx.errors import SettingsError
from runx.farms import command
from runx.farms.base import Farm, FarmType, JobArray, StatusQuery, Submission, Words
from runx.farms.templates import flags
from runx.farms.words import plain_name
from runx.processes import Finished
from runx.rundir.events import JobStatus
from runx.rundir.paths import RunDir

_STATES = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "STARTING": "queued",
    "PENDING_STORAGE_CREATION": "queued",
    "RESOURCE_CONSUMPTION_REQUEST_IN_PROGRESS": "queued",
    "RUNNING": "running",
    "FINISHED_SUCCESS": "done",
    "FAILED": "failed",
    "FAILED_RUN_LIMIT_EXCEEDED": "timeout",
    "KILLED_BY_USER": "cancelled",
    "KILLED_BY_ADMIN": "cancelled",
    "KILLED_BY_SYSTEM": "killed",
    "INFINITY_POOL_MISSING": "failed",
    "CANCELED": "cancelled",
    "TERMINATED": "killed",
    "TASK_LOST": "lost",
    "UNKNOWN": "running",
}
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
        *("--commandline", f"bash {shlex.quote(f'{root}/{path}/run.sh')}"),
        *("--workspace", f"{workspace}:{root}:RW"),
        *("--format_type", "json"),
    )
    return Submission(("bash", "-c", f"{shlex.join(upload)} >&2 && {shlex.join(run)}"), {})


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
        status = str(job.get("jobStatus", {}).get("status", ""))
        name = str(job.get("jobDefinition", {}).get("name", ""))
        state = _STATES.get(status, "running")
        statuses[str(job["id"])] = JobStatus(state, "" if status in _STATES else status, name)
    return statuses


def _list(ids: Sequence[str], farm: Farm) -> Words:
    return ("ngc", "batch", "list", "--duration", "30D", "--format_type", "json")


def _kill(ids: Sequence[str], farm: Farm) -> list[Words]:
    return [("ngc", "batch", "kill", job) for job in ids]


FARM_TYPE = FarmType(
    programs=("ngc",),
    package="install NVIDIA's NGC command line, and log in with ngc config set",
    submission=submission,
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_list, job_statuses),),
    cancel=_kill,
    workspace=mounted,
    portable=False,
)
