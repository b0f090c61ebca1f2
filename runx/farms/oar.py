"""OAR: oarsub, oarstat, oardel, oarhold and oarresume."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from runx.errors import SettingsError
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
from runx.farms.words import chunked, counts, long_flags, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus
from runx.sweeps.values import Hparam

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
_UNTOLD = re.compile("SWITCH_INTO|SCHEDULER_PRIORITY")
"""Events that say nothing of why a job ended."""
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
    """Return the command that submits an array; -S makes #OAR lines of its script count.

    Raises SettingsError for DIRECTIVES in a script whose path oarsub can't read.
    """
    words = (
        "oarsub",
        *("-n", job_name(array)),
        *("-d", str(array.experiment_dir)),
        *("-O", str(array.output), "-E", str(array.output)),
        *(("--array", str(len(array.jobs))) if array.is_array else ()),
        *_requeue(farm),
        *resources(array.needs),
        *_command(array, farm),
    )
    return Submission(words, {})


def _command(array: JobArray, farm: Farm) -> Words:
    """Return what is executed, in whose process the script must be: it gets the warning."""
    script = str(array.script)
    if not any(line.startswith("#OAR") for line in farm.directives):
        return (f"exec bash {shlex.quote(script)}",)
    if script != shlex.quote(script):
        raise SettingsError(
            f"DIRECTIVES: oarsub can't scan {script} for #OAR lines, since its path has blanks or"
            " other special characters; choose another LOGROOT"
        )
    # A login shell executes one command in its own place.
    return ("-S", script)


def job_name(array: JobArray) -> str:
    """Return the name of an array as oarsub takes it."""
    return plain_name(array.name, 100)


def _requeue(farm: Farm) -> Words:
    words = ("-t", "idempotent") if farm.takes_back else ()
    if farm.warning is None:
        return words
    return (*words, "--checkpoint", str(farm.warning), "--signal", "10")


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
    # Licences are resources of a type of their own.
    others = "".join(counts(needs, "+{{type='{}'}}/resource_id={}"))
    wanted = f"{hierarchy or '/resource_id=1'}{others}" if hierarchy or time or others else ""
    flags = (
        ("-l", ",".join(part for part in (wanted, time) if part)),
        ("-q", needs.partition),
        ("--project", needs.account),
        ("-p", needs.constraint),
    )
    portable = (word for flag, value in flags if value for word in (flag, value))
    return (*portable, *(word for resource in needs.rest for word in _flags(resource)))


def _flags(resource: Hparam) -> Words:
    """Return a resource that only OAR understands as options, each of several values its own.

    >>> _flags(Hparam("t", ("besteffort", "idempotent"), ("besteffort", "idempotent")))
    ('-t', 'besteffort', '-t', 'idempotent')
    >>> _flags(Hparam("notify", "mail:me@x", "mail:me@x")), _flags(Hparam("k", True, None))
    (('--notify=mail:me@x',), ('-k',))
    """
    if len(resource.name) > 1:
        return long_flags(resource)
    flag = f"-{resource.name}"
    if resource.value is True:
        return (flag,)
    return tuple(word for text in texts(resource) for word in (flag, text))


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what oarsub prints, a line ``OAR_JOB_ID=7`` for each; a refusal has -5."""
    return re.findall(r"^OAR_JOB_ID=([1-9]\d*)$", answer, re.MULTILINE)


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``oarstat -f -J`` lists: jobs by their ids, those that have ended too."""
    if finished.status:
        return None
    jobs: dict[str, Any] = json.loads(finished.output or "{}")
    statuses = {}
    sizes = Counter(job.get("array_id") for job in jobs.values() if not job.get("resubmit_job_id"))
    # A job that was submitted again has a new id; its status is given to the first id.
    for id, job in sorted(jobs.items(), key=lambda pair: int(pair[0])):
        name = str(job.get("name") or "")
        task = _task(job, sizes[job.get("array_id")])
        statuses[_first_id(id, jobs)] = _status(job)._replace(name=name, task=task)
    return statuses


def _task(job: Mapping[str, Any], size: int) -> int | None:
    """Return a job's index in its array; OAR shows one of jobs that were submitted alone, too.

    ``size`` is how many jobs of its array are listed. What was asked for is shown to its owner
    alone.

    >>> _task({"array_index": 1, "initial_request": "oarsub --array 9 x"}, 1)
    0
    >>> _task({"array_index": 2, "initial_request": ""}, 1), _task({"array_index": 1}, 2)
    (1, 0)
    >>> _task({"array_index": 1, "initial_request": "oarsub x"}, 1)
    """
    index = int(job.get("array_index") or 1)
    asked = re.search(r" --array[ =]\d", str(job.get("initial_request")))
    return index - 1 if asked or index > 1 or size > 1 else None


def _first_id(id: str, jobs: Mapping[str, Any]) -> str:
    """Return the id that a job had at first, before OAR submitted it again.

    >>> _first_id("9", {"2": {}, "5": {"resubmit_job_id": 2}, "9": {"resubmit_job_id": 5}})
    '2'
    """
    before = str(jobs[id].get("resubmit_job_id") or "")
    return _first_id(before, jobs) if before in jobs else id


def _status(job: Mapping[str, Any]) -> JobStatus:
    word = str(job.get("state"))
    events = {event.get("type"): event.get("description") for event in job.get("events") or ()}
    code = job.get("exit_code")
    if word in _STATES:
        return JobStatus(_STATES[word], _reason(word, job, events))
    if word == "Terminated" and code is not None:
        return JobStatus(*_end(int(str(code).split()[0])))
    return _error(events) if word in ("Error", "Terminated") else JobStatus("unknown", word)


def _reason(word: str, job: Mapping[str, Any], events: Mapping[Any, Any]) -> str:
    """Return why a job waits, or that it is about to end.

    >>> _reason("Waiting", {"message": "R=4,W=0:10:0,J=B (Karma=0.000,quota_ok)"}, {})
    ''
    >>> _reason("Waiting", {"message": "FIFO scheduling: not enough resources"}, {})
    'FIFO scheduling: not enough resources'
    """
    if word in ("Hold", "Suspended"):
        return "held" if word == "Hold" else "suspended"
    if _STATES[word] == "running":
        return "it is being ended" if "FRAG_JOB_REQUEST" in events else ""
    # The usual one repeats what was asked for.
    message = str(job.get("message") or "")
    return "" if re.match(r"[A-Z]=", message) else message


def _end(status: int) -> tuple[str, str]:
    """Return the state and reason of an exit status as wait(2) has it.

    >>> _end(768), _end(10), _end(137 << 8)
    (('failed', 'exit status 3'), ('killed', 'by signal 10'), ('killed', 'by signal 9'))
    """
    if status == 0:
        return "done", ""
    signal = status & 127 or max((status >> 8) - 128, 0)
    return ("killed", f"by signal {signal}") if signal else ("failed", f"exit status {status >> 8}")


def _error(events: Mapping[Any, Any]) -> JobStatus:
    """Return the status of a job in state Error, by its events' types and descriptions.

    >>> _error({"FRAG_JOB_REQUEST": "by root", "WALLTIME": "Elapsed"}).state
    'timeout'
    >>> _error({"BESTEFFORT_KILL": "kill the besteffort job 1", "FRAG_JOB_REQUEST": "by root"})[:2]
    ('killed', 'a job that is not besteffort took its resources')
    """
    if "RESUBMIT_JOB_AUTOMATICALLY" in events:
        return JobStatus("preempted", "OAR submits it again")
    if "BESTEFFORT_KILL" in events:
        return JobStatus("killed", "a job that is not besteffort took its resources")
    if "WALLTIME" in events:
        return JobStatus("timeout")
    if "FRAG_JOB_REQUEST" in events and "EXTERMINATE_JOB" not in events:
        return JobStatus("cancelled")
    reasons = [str(text) for kind, text in events.items() if not _UNTOLD.match(str(kind))]
    return JobStatus("lost", reasons[-1] if reasons else "in Error")


def _oarstat(ids: Sequence[str], farm: Farm) -> Words:
    if not ids:
        return ("oarstat", "-f", "-J")
    return ("oarstat", "-f", "-J", "--sql", _WITH_RESUBMITTED.format(",".join(ids)))


def _on_living(command: str) -> JobCommands:
    """Return a function that selects living jobs for a command, with those submitted again."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [
            (command, "--sql", _WITH_RESUBMITTED.format(",".join(chunk)) + _NOT_ENDED)
            for chunk in chunked(ids)
        ]

    return commands


_HANDBACK = Handback(_FIRST_MINUTE, _REQUEUE_STATUS)

FARM_TYPE = FarmType(
    licences="numbers",
    programs=("oarsub", "oarstat", "oardel"),
    package="install OAR's user commands",
    submission=submission,
    script=partial(job_script, index="$((OAR_ARRAY_INDEX - 1))", handback=_HANDBACK),
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_oarstat, job_statuses, sees="all"),),
    cancel=_on_living("oardel"),
    hold=_on_living("oarhold"),
    release=_on_living("oarresume"),
    had_ended=lambda finished: "already" in finished.errors + finished.output,
    arrays=True,
    largest=10000,
    smallest=2,
    throttles=False,
    handback=_HANDBACK,
    warns=True,
    reads=(),
)
