"""LSF: bsub, bjobs, bkill, bstop and bresume."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import partial

from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    Handback,
    JobArray,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs
from runx.farms.words import each, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 75
"""The exit status by which a job is put back into the queue, by ``-Q``."""
_STATES = {
    "PEND": "queued",
    "PSUSP": "queued",
    "WAIT": "queued",
    "RUN": "running",
    "USUSP": "running",
    "SSUSP": "running",
    "PROV": "running",
    "UNKWN": "running",
    "DONE": "done",
    "EXIT": "failed",
    "ZOMBI": "lost",
}
_REASONS = {
    "TERM_RUNLIMIT": "timeout",
    "TERM_DEADLINE": "timeout",
    "TERM_MEMLIMIT": "oom",
    "TERM_OWNER": "cancelled",
    "TERM_FORCE_OWNER": "cancelled",
    "TERM_ADMIN": "cancelled",
    "TERM_FORCE_ADMIN": "cancelled",
    "TERM_PREEMPT": "preempted",
}


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; the last word is a line of shell."""
    name = job_name(array)
    if array.is_array:
        throttle = f"%{array.max_parallel}" if array.max_parallel else ""
        name = f"{name}[1-{len(array.jobs)}]{throttle}"
    dependencies = [f"done({job})" for job in array.after]
    dependencies += [f"ended({array.afterany.partition('[')[0]})"] if array.afterany else []
    words = (
        "bsub",
        *("-J", name),
        *("-o", str(array.output)),
        *("-cwd", str(array.experiment_dir)),
        *_requeue(farm),
        *(("-w", " && ".join(dependencies)) if dependencies else ()),
        *resources(array.needs),
        f"bash {shlex.quote(str(array.script))}",
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as bsub takes it, with room for its range."""
    return plain_name(array.name)


def _requeue(farm: Farm) -> Words:
    if farm.requeue is None:
        return ()
    minutes = str(max(math.ceil(farm.requeue.before / 60), 1))
    return ("-r", "-Q", str(_REQUEUE_STATUS), "-wa", "USR1", "-wt", minutes)


def resources(needs: Needs) -> Words:
    """Return what a run needs as options.

    >>> resources(Needs(gpus=1, cpus=8, mem=1024, time=5400))
    ('-n', '8', '-R', 'span[hosts=1]', '-gpu', 'num=1', '-M', '1024M', '-W', '1:30')
    """
    refuse(needs, "lsf", "image", "qos")
    if needs.nodes and needs.nodes > 1:
        refuse(needs, "lsf", "nodes")
    return tuple(_resources(needs))


def _resources(needs: Needs) -> Iterator[str]:
    if needs.cpus:
        yield from ("-n", str(needs.cpus), "-R", "span[hosts=1]")
    if needs.gpus:
        kind = f":gmodel={needs.gpu_kind}" if needs.gpu_kind else ""
        yield from ("-gpu", f"num={needs.gpus}{kind}")
    if needs.mem:
        yield from ("-M", f"{needs.mem}M")
    if needs.time:
        minutes = math.ceil(needs.time / 60)
        yield from ("-W", f"{minutes // 60}:{minutes % 60:02}")
    flags = (("-q", needs.partition), ("-P", needs.account), ("-R", needs.constraint))
    for flag, value in flags:
        if value:
            yield from (flag, f"select[{value}]" if flag == "-R" else value)
    for resource in needs.rest:
        if resource.value is True:
            yield f"-{resource.name}"
        for text in texts(resource) if resource.value is not True else ():
            yield from (f"-{resource.name}", text)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what bsub prints: ``Job <12> is submitted to queue <normal>.``"""
    match = re.search(r"^Job <(\d+)> is submitted", answer, re.MULTILINE)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}[{index + 1}]" for index in range(len(array.jobs))]


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what bjobs lists: job, index, state, exit code, reason and name, with | between."""
    rows = [line.split("|", 5) for line in finished.output.splitlines() if line.count("|") >= 5]
    if finished.status and not rows and "not found" not in finished.errors:
        return None
    statuses = {}
    for job, index, state, code, reason, name in rows:
        key = f"{job}[{index}]" if index not in ("0", "", "-") else job
        task = int(index) - 1 if key != job else None
        base = re.sub(r"\[.*\]$", "", name)
        statuses[key] = _status(state, code, reason)._replace(name=base, task=task)
    return statuses


def _status(state: str, code: str, reason: str) -> JobStatus:
    if state == "EXIT":
        end = _REASONS.get(reason.split(":")[0])
        return JobStatus(end) if end else JobStatus("failed", f"exit status {code}")
    return JobStatus(_STATES.get(state, "running"), "held" if state == "PSUSP" else "")


def _bjobs(ids: Sequence[str], farm: Farm) -> Words:
    fields = "jobid jobindex stat exit_code exit_reason job_name delimiter='|'"
    jobs = dict.fromkeys(job.partition("[")[0] for job in ids)
    return ("bjobs", "-a", "-noheader", "-o", fields, *jobs)


def largest_array(answer: str) -> int | None:
    """Return the most elements of an array, given what ``bparams -a`` prints.

    >>> largest_array("   MAX_JOB_ARRAY_SIZE = 1000")
    1000
    """
    match = re.search(r"MAX_JOB_ARRAY_SIZE = (\d+)", answer)
    return int(match[1]) if match else None


FARM_TYPE = FarmType(
    programs=("bsub", "bjobs", "bkill"),
    package="source LSF's profile.lsf, or load the module that has its commands",
    submission=submission,
    script=partial(job_script, index="$((LSB_JOBINDEX - 1))"),
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_bjobs, job_statuses),),
    cancel=each("bkill"),
    hold=each("bstop"),
    release=each("bresume"),
    had_ended=lambda finished: "already finished" in finished.errors + finished.output,
    arrays=True,
    largest=1000,
    limit=ArrayLimit(("bparams", "-a"), largest_array),
    waits="done",
    handback=Handback(status=_REQUEUE_STATUS),
    reads=(),
)
