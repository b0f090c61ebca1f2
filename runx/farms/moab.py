"""Moab: msub, showq as XML, mjobctl."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from xml.etree import ElementTree

from runx.farms import torque
from runx.farms.base import Farm, FarmType, Handback, JobArray, Question, Submission, Words
from runx.farms.words import job_script, plain_name
from runx.processes import Finished
from runx.rundir.events import JobStatus


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; resources are as Torque's."""
    throttle = f"%{array.parallel}" if array.parallel else ""
    waits = [f"afterok:{':'.join(array.after)}"] if array.after else []
    waits += [f"afterany:{array.behind.partition('[')[0]}"] if array.behind else []
    indices = f"{job_name(array)}.[0-{len(array.jobs) - 1}]{throttle}"
    words = (
        "msub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *("-S", "/bin/bash"),
        *(("-t", indices) if array.is_array else ()),
        *(("-l", "depend=" + ",".join(waits)) if waits else ()),
        *torque.resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Name a job as msub takes it."""
    return plain_name(array.name, 60)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Read what msub answers: a blank line, and ``Moab.5`` or ``5``."""
    words = answer.split()
    if len(words) != 1 or not re.fullmatch(r"(?:\w+\.)?\d+", words[0]):
        return []
    if not array.is_array:
        return words
    return [f"{words[0]}[{index}]" for index in range(len(array.jobs))]


def live(finished: Finished) -> dict[str, JobStatus] | None:
    """Read ``showq --xml``: jobs that run, may run, or are kept from it."""
    if finished.status:
        return None
    found = {}
    for queue in ElementTree.fromstring(finished.output).iter("queue"):
        active = queue.get("option") == "active"
        for job in queue.iter("job"):
            why = "held" if "Hold" in job.get("State", "") else ""
            found[job.get("JobID", "")] = JobStatus(
                "running" if active else "queued", "" if active else why, job.get("JobName", "")
            )
    return found


def ended(finished: Finished) -> dict[str, JobStatus] | None:
    """Read ``showq -c --xml``: jobs that have ended, each with its completion code."""
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
    """Translate a completion code: a status, CNCLD, or CNCLD with the limit that was passed.

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


def _told(*words: str) -> Callable[[Sequence[str], Farm], list[Words]]:
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
    questions=(
        Question(lambda ids, farm: ("showq", "--xml"), live),
        Question(lambda ids, farm: ("showq", "-c", "--xml"), ended),
    ),
    cancel=_told("mjobctl", "-c"),
    hold=_told("mjobctl", "-h", "user"),
    release=_told("mjobctl", "-u", "user"),
    was_over=lambda finished: "invalid job" in (finished.errors + finished.output).lower(),
    arrays=True,
    largest=1000,
    waits="done",
    handback=Handback('mjobctl -R "$MOAB_JOBID"'),
)
