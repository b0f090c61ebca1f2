"""Moab: msub, showq as XML, mjobctl."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from xml.etree import ElementTree

from runx.farms import qstat, torque
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
from runx.farms.words import place_by, plain_name, steps, there, waited
from runx.processes import Finished
from runx.rundir.events import JobStatus
from runx.rundir.steps import When

_PLACE = ("MOABHOMEDIR",)
"""The variable that says which server commands are about."""
_STATES = {
    "Running": ("running", ""),
    "Starting": ("running", ""),
    "Suspended": ("running", "suspended"),
    "Idle": ("queued", ""),
    "Blocked": ("queued", "blocked"),
    "Deferred": ("queued", "deferred"),
    "Migrated": ("queued", ""),
    "Staging": ("queued", ""),
    "NotQueued": ("queued", ""),
}
"""Moab's words for states of jobs that have not ended, beside those of holds."""


priority = steps("-p")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; resources are as Torque's.

    Without -V, the jobs of an array are not given their index.
    """
    throttle = f"%{array.max_parallel}" if array.max_parallel else ""
    found = {"afterok": _waited(array, "done"), "afterany": _waited(array, "ended")}
    dependencies = [f"{kind}:{':'.join(ids)}" for kind, ids in found.items() if ids]
    indices = f"{job_name(array)}.[0-{len(array.jobs) - 1}]{throttle}"
    words = (
        "msub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *("-S", "/bin/bash"),
        *(("-t", indices, "-V") if array.is_array else ()),
        *(("-l", "depend=" + ",".join(dependencies)) if dependencies else ()),
        *priority(farm),
        *torque.resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def _waited(array: JobArray, when: When) -> list[str]:
    return waited(array.waits, when, whole=lambda id: id.partition("[")[0])


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
    return _listed(finished, lambda job: _live(job.get("State", ""), job.get("BlockReason", "")))


def completed(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``showq -c --xml`` lists: jobs that have ended, with their completion codes."""
    return _listed(finished, lambda job: _end(job.get("CompletionCode", "")))


def _listed(
    finished: Finished, status: Callable[[ElementTree.Element], tuple[str, str]]
) -> dict[str, JobStatus] | None:
    """Return the statuses of the jobs in a list; an array's have their index in their id."""
    if finished.status:
        return None
    statuses = {}
    for job in ElementTree.fromstring(finished.output).iter("job"):
        id, name = job.get("JobID", ""), job.get("JobName", "")
        index = re.search(r"\[(\d+)\]$", id)
        statuses[id] = JobStatus(*status(job), name, int(index[1]) if index else None)
    return statuses


def _live(word: str, why: str) -> tuple[str, str]:
    """Return the state and reason of a job that has not ended, by the word for its state.

    >>> _live("Idle", ""), _live("BatchHold", ""), _live("Frobnicating", "")
    (('queued', ''), ('queued', 'held'), ('unknown', 'Frobnicating'))
    """
    if word.endswith("Hold"):
        return "queued", f"held, {why}" if why else "held"
    state, reason = _STATES.get(word, ("unknown", word))
    return state, reason or (why if state == "queued" else "")


def _end(code: str) -> tuple[str, str]:
    """Return the state and reason of a completion code: an exit status as Torque's, or CNCLD.

    >>> _end("0")[0], _end("CNCLD(wclimit)")[0], _end("CNCLD")[0], _end("271")[0], _end("-11")[0]
    ('done', 'timeout', 'cancelled', 'cancelled', 'timeout')
    """
    if "CNCLD" in code:
        return ("timeout" if "wclimit" in code.lower() else "cancelled"), ""
    if not code.lstrip("-").isdecimal():
        return "unknown", f"it ended, with completion code {code!r}"
    return qstat.status("", {"job_state": "C", "Exit_status": code}, torque.LIMITS)[:2]


def _one_by_one(*words: str) -> JobCommands:
    """Return a function that gives a command for each job."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [there(farm, _PLACE, (*words, job)) for job in ids]

    return commands


_HANDBACK = Handback('mjobctl -R "${MOAB_JOBID:-$PBS_JOBID}"')

FARM_TYPE = FarmType(
    programs=("msub", "showq", "mjobctl"),
    package="install Moab's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$MOAB_JOBARRAYINDEX", handback=_HANDBACK),
    job_ids=job_ids,
    job_name=job_name,
    place=place_by(*_PLACE),
    queries=(
        StatusQuery(lambda ids, farm: there(farm, _PLACE, ("showq", "--xml")), in_queue),
        StatusQuery(lambda ids, farm: there(farm, _PLACE, ("showq", "-c", "--xml")), completed),
    ),
    cancel=_one_by_one("mjobctl", "-c"),
    hold=_one_by_one("mjobctl", "-h", "user"),
    release=_one_by_one("mjobctl", "-u", "user"),
    had_ended=lambda finished: "invalid job" in (finished.errors + finished.output).lower(),
    priority=priority,
    arrays=True,
    largest=1000,
    waits="done",
    handback=_HANDBACK,
    reads=(),
)
