"""OAR: oarsub, oarstat, oardel, oarhold and oarresume."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from runx.farms.base import Farm, FarmType, Handback, JobArray, Question, Submission, Words
from runx.farms.resources import Needs, clock
from runx.farms.words import chunked, job_script, long_flags, plain_name, refuse
from runx.processes import Finished
from runx.rundir.events import JobStatus

_AGAIN = 99
"""The exit status by which an idempotent job is submitted again, under a new id."""


_PATIENCE = '[ "$SECONDS" -gt 62 ] || sleep "$((63 - SECONDS))"'
"""A job that ends within its first minute is not submitted again."""


_ALL_OF = (
    "job_id IN (WITH RECURSIVE again AS (SELECT job_id FROM jobs WHERE job_id IN ({})"
    " UNION SELECT jobs.job_id FROM jobs JOIN again ON jobs.resubmit_job_id = again.job_id)"
    " SELECT job_id FROM again)"
)
"""Selects jobs, and those as which they were submitted again."""


_ENDED = " AND state NOT IN ('Terminated', 'Error')"


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
        *("-d", str(array.home)),
        *("-O", str(array.output), "-E", str(array.output)),
        *(("--array", str(len(array.jobs))) if array.is_array else ()),
        *_requeue(farm),
        *resources(array.needs),
        f"exec bash {shlex.quote(str(array.script))}",
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Name a job as oarsub takes it."""
    return plain_name(array.name, 100)


def _requeue(farm: Farm) -> Words:
    if farm.requeue is None:
        return ()
    return ("-t", "idempotent", "--checkpoint", str(farm.requeue.before), "--signal", "10")


def resources(needs: Needs) -> Words:
    """Give what a run needs.

    >>> resources(Needs(cpus=2, time=60, partition="gpu"))
    ('-l', '/nodes=1/core=2,walltime=00:01:00', '-q', 'gpu')
    """
    refuse(needs, "oar", "image", "qos", "mem", "gpu_kind")
    levels = {"nodes": needs.nodes or (1 if needs.cpus else None), "gpu": needs.gpus}
    levels["core"] = needs.cpus
    wanted = "".join(f"/{name}={count}" for name, count in levels.items() if count)
    time = f"walltime={clock(needs.time)}" if needs.time else ""
    limits = ",".join(part for part in (wanted, time) if part)
    flags = (
        ("-l", limits if wanted or not time else f"/resource_id=1,{time}"),
        ("-q", needs.partition),
        ("--project", needs.account),
        ("-p", needs.constraint),
    )
    known = (word for flag, value in flags if value for word in (flag, value))
    return (*known, *(word for resource in needs.rest for word in long_flags(resource)))


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Read what oarsub answers: ``OAR_JOB_ID=7``, a line for each; a refusal gives none or -5."""
    return re.findall(r"^OAR_JOB_ID=([1-9]\d*)$", answer, re.MULTILINE)


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Read ``oarstat -f -J``: the jobs by their ids, those that have ended too."""
    if finished.status:
        return None
    jobs: dict[str, Any] = json.loads(finished.output or "{}")
    found = {}
    # A job that was submitted again has a new id; its status is that of the one that was kept.
    for job, told in sorted(jobs.items(), key=lambda pair: int(pair[0])):
        found[_first(job, jobs)] = _status(told)._replace(
            name=str(told.get("name") or ""), task=_place(told)
        )
    return found


def _place(told: Mapping[str, Any]) -> int | None:
    """Give a job's place in its array; OAR has one for those too that were submitted alone.

    >>> _place({"array_index": 2, "initial_request": "oarsub --array 9 x"})
    1
    >>> _place({"array_index": 1, "initial_request": "oarsub x"})
    """
    asked = re.search(r" --array \d", str(told.get("initial_request")))
    return int(told["array_index"]) - 1 if asked else None


def _first(job: str, jobs: Mapping[str, Any]) -> str:
    """Find the job that one was at first, before it was submitted again.

    >>> _first("9", {"2": {}, "5": {"resubmit_job_id": 2}, "9": {"resubmit_job_id": 5}})
    '2'
    """
    before = str(jobs[job].get("resubmit_job_id") or "")
    return _first(before, jobs) if before in jobs else job


def _status(told: dict[str, Any]) -> JobStatus:
    state = str(told.get("state"))
    if state in _STATES:
        return JobStatus(_STATES[state], "held" if state == "Hold" else "")
    code = told.get("exit_code")
    if state == "Terminated" and code is not None:
        status = int(str(code).split()[0])
        if status == 0:
            return JobStatus("done")
        if status & 127:
            return JobStatus("killed", f"by signal {status & 127}")
        return JobStatus("failed", f"exit status {status >> 8}")
    return _broken_off({event.get("type"): event.get("description") for event in told["events"]})


def _broken_off(events: Mapping[Any, Any]) -> JobStatus:
    """Say why a job ended in Error: by its limit, with its node, or by a person.

    >>> _broken_off({"FRAG_JOB_REQUEST": "by root", "WALLTIME": "Elapsed"}).state
    'timeout'
    """
    if "WALLTIME" in events:
        return JobStatus("timeout")
    if "FRAG_JOB_REQUEST" in events and "EXTERMINATE_JOB" not in events:
        return JobStatus("cancelled")
    why = [str(text) for kind, text in events.items() if not str(kind).startswith("SWITCH_INTO")]
    return JobStatus("lost", why[-1] if why else "in Error")


def _oarstat(ids: Sequence[str], farm: Farm) -> Words:
    if not ids:
        return ("oarstat", "-f", "-J", "-u")
    return ("oarstat", "-f", "-J", "--sql", _ALL_OF.format(",".join(ids)))


def _living(command: str) -> Callable[[Sequence[str], Farm], list[Words]]:
    """Make a function that tells a command of what jobs have become that were submitted again."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [
            (command, "--sql", _ALL_OF.format(",".join(some)) + _ENDED) for some in chunked(ids)
        ]

    return commands


FARM_TYPE = FarmType(
    programs=("oarsub", "oarstat", "oardel"),
    package="install OAR's user commands",
    submission=submission,
    script=partial(job_script, index="$((OAR_ARRAY_INDEX - 1))"),
    job_ids=job_ids,
    job_name=job_name,
    questions=(Question(_oarstat, job_statuses),),
    cancel=_living("oardel"),
    hold=_living("oarhold"),
    release=_living("oarresume"),
    was_over=lambda finished: "already" in finished.errors + finished.output,
    arrays=True,
    largest=10000,
    smallest=2,
    throttles=False,
    handback=Handback(_PATIENCE, _AGAIN),
)
