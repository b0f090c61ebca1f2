"""Moab: msub, showq as XML, mjobctl."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from xml.etree import ElementTree

from runx.farms import torque
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
from runx.farms.words import plain_name
from runx.processes import Finished
from runx.rundir.events import JobStatus


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; resources are as Torque's."""
    throttle = f"%{array.max_parallel}" if array.max_parallel else ""
    dependencies = [f"afterok:{':'.join(array.after)}"] if array.after else []
    dependencies += [f"afterany:{array.afterany.partition('[')[0]}"] if array.afterany else []
    indices = f"{job_name(array)}.[0-{len(array.jobs) - 1}]{throttle}"
    words = (
        "msub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *("-S", "/bin/bash"),
        *(("-t", indices) if array.is_array else ()),
        *(("-l", "depend=" + ",".join(dependencies)) if dependencies else ()),
        *torque.resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as msub takes it."""
    return plain_name(array.name, 60)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what msub prints: a blank line, then ``Moab.5`` or ``5``."""
    words = answer.split()
    if len(words) != 1 or not re.fullmatch(r"(?:\w+\.)?\d+", words[0]):
        return []
    if not array.is_array:
        return words
    return [f"{words[0]}[{index}]" for index in range(len(array.jobs))]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``showq --xml`` lists: jobs that run, are queued, or are held."""
    if finished.status:
        return None
    statuses = {}
    for queue in ElementTree.fromstring(finished.output).iter("queue"):
        active = queue.get("option") == "active"
        for job in queue.iter("job"):
            held = not active and "Hold" in job.get("State", "")
            statuses[job.get("JobID", "")] = JobStatus(
                "running" if active else "queued", "held" if held else "", job.get("JobName", "")
            )
    return statuses


def completed(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``showq -c --xml`` lists: jobs that have ended, with their completion codes."""
    if finished.status:
        return None
    jobs = ElementTree.fromstring(finished.output).iter("job")
    return {
        job.get("JobID", ""): _status(job.get("CompletionCode", ""))._replace(
            name=job.get("JobName", "")
        )
        for job in jobs
    }


def _status(code: str) -> JobStatus:
    """Return the status of a completion code: an exit status, or CNCLD, with a passed limit.

    >>> _status("0").state, _status("CNCLD(wclimit)").state, _status("CNCLD").state
    ('done', 'timeout', 'cancelled')
    """
    if "CNCLD" in code:
        return JobStatus("timeout") if "wclimit" in code.lower() else JobStatus("cancelled")
    if not code.lstrip("-").isdecimal():
        return JobStatus("lost", code)
    if int(code) > 256:
        return JobStatus("killed", f"by signal {int(code) - 256}")
    return JobStatus("failed", f"exit status {code}") if int(code) else JobStatus("done")


def _one_by_one(*words: str) -> JobCommands:
    """Return a function that gives a command for each job."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(*words, job) for job in ids]

    return commands


FARM_TYPE = FarmType(
    programs=("msub", "showq", "mjobctl"),
    package="install Moab's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$MOAB_JOBARRAYINDEX"),
    job_ids=job_ids,
    job_name=job_name,
    queries=(
        StatusQuery(lambda ids, farm: ("showq", "--xml"), in_queue),
        StatusQuery(lambda ids, farm: ("showq", "-c", "--xml"), completed),
    ),
    cancel=_one_by_one("mjobctl", "-c"),
    hold=_one_by_one("mjobctl", "-h", "user"),
    release=_one_by_one("mjobctl", "-u", "user"),
    had_ended=lambda finished: "invalid job" in (finished.errors + finished.output).lower(),
    arrays=True,
    largest=1000,
    waits="done",
    handback=Handback('mjobctl -R "$MOAB_JOBID"'),
    reads=(),
)
