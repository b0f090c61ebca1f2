"""OAR: oarsub, oarstat, oardel, oarhold and oarresume."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from runx.farms.base import (
    Farm,
    FarmType,
    Handback,
    JobArray,
    JobCommands,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs, clock
from runx.farms.words import chunked, long_flags, plain_name, refuse
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 99
"""The exit status by which an idempotent job is submitted again, under a new id."""
_FIRST_MINUTE = '[ "$SECONDS" -gt 62 ] || sleep "$((63 - SECONDS))"'
"""Waits for the end of a job's first minute: one that ends before is not submitted again."""
_WITH_RESUBMITTED = (
    "job_id IN (WITH RECURSIVE again AS (SELECT job_id FROM jobs WHERE job_id IN ({})"
    " UNION SELECT jobs.job_id FROM jobs JOIN again ON jobs.resubmit_job_id = again.job_id)"
    " SELECT job_id FROM again)"
)
"""SQL that selects jobs, and those as which OAR submitted them again."""
_NOT_ENDED = " AND state NOT IN ('Terminated', 'Error')"
_STATES = {
    "Waiting": "queued",
    "Hold": "queued",
    "toAckReservation": "queued",
    "Resuming": "running",
    "toLaunch": "running",
    "Launching": "running",
    "Running": "running",
    "Suspended": "running",
    "Finishing": "running",
    "toError": "running",
}


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array."""
    words = (
        "oarsub",
        *("-n", job_name(array)),
        *("-d", str(array.experiment_dir)),
        *("-O", str(array.output), "-E", str(array.output)),
        *(("--array", str(len(array.jobs))) if array.is_array else ()),
        *_requeue(farm),
        *resources(array.needs),
        f"exec bash {shlex.quote(str(array.script))}",
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as oarsub takes it."""
    return plain_name(array.name, 100)


def _requeue(farm: Farm) -> Words:
    if farm.requeue is None:
        return ()
    return ("-t", "idempotent", "--checkpoint", str(farm.requeue.before), "--signal", "10")


def resources(needs: Needs) -> Words:
    """Return what a run needs as options.

    >>> resources(Needs(cpus=2, time=60, partition="gpu"))
    ('-l', '/nodes=1/core=2,walltime=00:01:00', '-q', 'gpu')
    """
    refuse(needs, "oar", "image", "qos", "mem", "gpu_kind")
    levels = {"nodes": needs.nodes or (1 if needs.cpus else None), "gpu": needs.gpus}
    levels["core"] = needs.cpus
    hierarchy = "".join(f"/{name}={count}" for name, count in levels.items() if count)
    time = f"walltime={clock(needs.time)}" if needs.time else ""
    limits = ",".join(part for part in (hierarchy, time) if part)
    flags = (
        ("-l", limits if hierarchy or not time else f"/resource_id=1,{time}"),
        ("-q", needs.partition),
        ("--project", needs.account),
        ("-p", needs.constraint),
    )
    portable = (word for flag, value in flags if value for word in (flag, value))
    return (*portable, *(word for resource in needs.rest for word in long_flags(resource)))


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what oarsub prints, a line ``OAR_JOB_ID=7`` for each; a refusal has -5."""
    return re.findall(r"^OAR_JOB_ID=([1-9]\d*)$", answer, re.MULTILINE)


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``oarstat -f -J`` lists: jobs by their ids, those that have ended too."""
    if finished.status:
        return None
    jobs: dict[str, Any] = json.loads(finished.output or "{}")
    statuses = {}
    # A job that was submitted again has a new id; its status is given to the first id.
    for id, job in sorted(jobs.items(), key=lambda pair: int(pair[0])):
        name = str(job.get("name") or "")
        statuses[_first_id(id, jobs)] = _status(job)._replace(name=name, task=_task(job))
    return statuses


def _task(job: Mapping[str, Any]) -> int | None:
    """Return a job's index in its array; OAR shows one of jobs that were submitted alone, too.

    >>> _task({"array_index": 2, "initial_request": "oarsub --array 9 x"})
    1
    >>> _task({"array_index": 1, "initial_request": "oarsub x"})
    """
    is_array = re.search(r" --array \d", str(job.get("initial_request")))
    return int(job["array_index"]) - 1 if is_array else None


def _first_id(id: str, jobs: Mapping[str, Any]) -> str:
    """Return the id that a job had at first, before OAR submitted it again.

    >>> _first_id("9", {"2": {}, "5": {"resubmit_job_id": 2}, "9": {"resubmit_job_id": 5}})
    '2'
    """
    before = str(jobs[id].get("resubmit_job_id") or "")
    return _first_id(before, jobs) if before in jobs else id


def _status(job: Mapping[str, Any]) -> JobStatus:
    state = str(job.get("state"))
    if state in _STATES:
        return JobStatus(_STATES[state], "held" if state == "Hold" else "")
    code = job.get("exit_code")
    if state == "Terminated" and code is not None:
        status = int(str(code).split()[0])
        if status == 0:
            return JobStatus("done")
        if status & 127:
            return JobStatus("killed", f"by signal {status & 127}")
        return JobStatus("failed", f"exit status {status >> 8}")
    return _error({event.get("type"): event.get("description") for event in job["events"]})


def _error(events: Mapping[Any, Any]) -> JobStatus:
    """Return the status of a job in state Error, by its events' types and descriptions.

    >>> _error({"FRAG_JOB_REQUEST": "by root", "WALLTIME": "Elapsed"}).state
    'timeout'
    """
    if "WALLTIME" in events:
        return JobStatus("timeout")
    if "FRAG_JOB_REQUEST" in events and "EXTERMINATE_JOB" not in events:
        return JobStatus("cancelled")
    reasons = [
        str(text) for kind, text in events.items() if not str(kind).startswith("SWITCH_INTO")
    ]
    return JobStatus("lost", reasons[-1] if reasons else "in Error")


def _oarstat(ids: Sequence[str], farm: Farm) -> Words:
    if not ids:
        return ("oarstat", "-f", "-J", "-u")
    return ("oarstat", "-f", "-J", "--sql", _WITH_RESUBMITTED.format(",".join(ids)))


def _on_living(command: str) -> JobCommands:
    """Return a function that selects living jobs for a command, with those submitted again."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [
            (command, "--sql", _WITH_RESUBMITTED.format(",".join(chunk)) + _NOT_ENDED)
            for chunk in chunked(ids)
        ]

    return commands


FARM_TYPE = FarmType(
    programs=("oarsub", "oarstat", "oardel"),
    package="install OAR's user commands",
    submission=submission,
    script=partial(job_script, index="$((OAR_ARRAY_INDEX - 1))"),
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_oarstat, job_statuses),),
    cancel=_on_living("oardel"),
    hold=_on_living("oarhold"),
    release=_on_living("oarresume"),
    had_ended=lambda finished: "already" in finished.errors + finished.output,
    arrays=True,
    largest=10000,
    smallest=2,
    throttles=False,
    handback=Handback(_FIRST_MINUTE, _REQUEUE_STATUS),
    reads=(),
)
