"""Ray: jobs submitted by its command, queried and stopped through its dashboard."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, JobArray, StatusQuery, Submission, Words
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs
from runx.farms.words import long_flags, plain_name, refuse
from runx.processes import Finished
from runx.rundir.events import JobStatus

DASHBOARD = "http://127.0.0.1:8265"
"""The address of Ray's dashboard, unless ADDRESS says otherwise."""
_STATES = {
    "PENDING": "queued",
    "RUNNING": "running",
    "SUCCEEDED": "done",
    "FAILED": "failed",
    "STOPPED": "cancelled",
}


# Ray's own command prints Python objects, and hangs where a job that waits is to be stopped. What
# can't be stopped keeps no other from it.
_CALL = """\
import sys, urllib.error, urllib.request
problems = []
for url in sys.argv[2:]:
    request = urllib.request.Request(url, method=sys.argv[1])
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as error:
        problems.append(f"{url}: {error.read().decode().strip() or error}")
    except OSError as error:
        sys.exit("\\n".join([*problems, f"{url}: {error}"]))
sys.exit("\\n".join(problems) or 0)
"""


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits a run; nodes must share LOGROOT, where its run.sh is."""
    words = (
        *("ray", "job", "submit"),
        *("--address", address(farm)),
        "--no-wait",
        *("--submission-id", job_name(array)),
        *("--metadata-json", json.dumps({"runx": array.launch})),
        *resources(array.needs),
        *("--", "bash", *_executed(array)),
    )
    return Submission(words, {"RAY_USAGE_STATS_ENABLED": "0"})


def _executed(array: JobArray) -> Words:
    """Return the script that a job executes: a run's with its attempt, or one of several's."""
    if array.shares:
        return (str(array.executor),)
    return (str(array.jobs[0].dir.script), str(array.jobs[0].attempt))


def address(farm: Farm) -> str:
    """Return the address of the dashboard."""
    return farm.options.get("ADDRESS", DASHBOARD).rstrip("/")


def job_name(array: JobArray) -> str:
    """Return the name of a job with its launch, since Ray never takes a name twice."""
    return plain_name(f"{array.name}_{array.launch}")


def resources(needs: Needs) -> Words:
    """Return what a run needs as options.

    >>> resources(Needs(gpus=1, mem=1))
    ('--entrypoint-num-gpus', '1', '--entrypoint-memory', '1048576')
    """
    unknown = ("time", "nodes", "partition", "account", "qos", "constraint", "image", "gpu_kind")
    refuse(needs, "ray", *unknown)
    flags = (
        ("--entrypoint-num-cpus", needs.cpus),
        ("--entrypoint-num-gpus", needs.gpus),
        ("--entrypoint-memory", needs.mem * 2**20 if needs.mem else None),
        ("--entrypoint-resources", _custom(needs)),
    )
    portable = tuple(word for flag, value in flags if value for word in (flag, str(value)))
    return (*portable, *(word for resource in needs.rest for word in long_flags(resource)))


def _custom(needs: Needs) -> str:
    """Return what LIMITS names as resources of the cluster's own, in JSON.

    Raises SettingsError where RESOURCES have some, too.
    """
    if needs.licences and any(each.name == "entrypoint-resources" for each in needs.rest):
        names = ", ".join(licence.name for licence in needs.licences)
        raise SettingsError(
            f"RESOURCES: entrypoint-resources is made of {names}, which LIMITS names; leave it out"
        )
    return json.dumps(dict(licence[:2] for licence in needs.licences)) if needs.licences else ""


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the id that the job was submitted with, if Ray printed it, among coloured lines."""
    name = job_name(array)
    return [name] if name in answer else []


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what the dashboard lists."""
    if finished.status:
        return None
    statuses = {}
    for job in json.loads(finished.output):
        name = job.get("submission_id") or ""
        statuses[name] = _status(job)._replace(name=name)
    return statuses


def _status(job: Mapping[str, Any]) -> JobStatus:
    """Return the status of a job; Ray says of one that waits what it may wait for.

    >>> _status({"status": "PENDING", "message": "Job has not started yet."})[:2]
    ('queued', 'Job has not started yet.')
    >>> _status({"status": "PAUSED"})[:2]
    ('unknown', 'PAUSED')
    """
    word = str(job.get("status"))
    state = _STATES.get(word, "unknown")
    if state == "failed":
        return _failed(job)
    message = " ".join(str(job.get("message") or "").split())[:200]
    return JobStatus(state, message if state == "queued" else word if state == "unknown" else "")


def _failed(job: Mapping[str, Any]) -> JobStatus:
    """Return the status of a failed job: its exit status, its node's end, or Ray's message.

    >>> _failed({"driver_exit_code": 3})[:2]
    ('failed', 'exit status 3')
    >>> _failed({"error_type": "JOB_SUPERVISOR_ACTOR_DIED", "message": "its node has died"})[:2]
    ('lost', 'its node has died')
    """
    if job.get("driver_exit_code"):
        return JobStatus("failed", f"exit status {job['driver_exit_code']}")
    message = str(job.get("message") or "").replace("\n\t", " ")
    node = [line for line in message.splitlines() if "node has died" in line]
    if node:
        return JobStatus("lost", node[0].partition("Node Id")[0].strip(" ."))
    return JobStatus("failed", message.partition("\n")[0][:200])


def _jobs(ids: Sequence[str], farm: Farm) -> Words:
    return (sys.executable, "-c", _CALL, "GET", f"{address(farm)}/api/jobs/")


def _stop(ids: Sequence[str], farm: Farm) -> list[Words]:
    urls = [f"{address(farm)}/api/jobs/{job}/stop" for job in ids]
    return [(sys.executable, "-c", _CALL, "POST", *urls)]


def had_ended(finished: Finished) -> bool:
    """Return whether all that could not be stopped is unknown to Ray.

    >>> had_ended(Finished((), 1, "", "http://head/api/jobs/a/stop: Job a does not exist"))
    True
    """
    lines = finished.errors.strip().splitlines()
    return bool(lines) and all(line.endswith("does not exist") for line in lines)


FARM_TYPE = FarmType(
    programs=("ray",),
    package="pip install 'ray[default]'",
    submission=submission,
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_jobs, job_statuses, sees="all"),),
    cancel=_stop,
    licences="numbers",
    reads=("ADDRESS",),
    had_ended=had_ended,
    executor=job_script,
)
