"""Grid Engine: qsub, qstat, qacct for what has ended, qdel, qhold and qrls."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from xml.etree import ElementTree

from runx.farms.base import (
    ArrayLimit,
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
from runx.farms.words import chunked, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 99
"""The exit status by which a job is put back into Grid Engine's queue."""


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; lines of its script that begin with #$ count."""
    words = (
        "qsub",
        "-terse",
        *("-N", job_name(array)),
        *("-wd", str(array.experiment_dir)),
        *("-j", "y"),
        *("-o", str(array.output)),
        *("-S", "/bin/bash"),
        *_array(array),
        *_requeue(farm, array.needs),
        *(("-hold_jid", array.afterany.partition(".")[0]) if array.afterany else ()),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as qsub takes it."""
    return plain_name(array.name)


def _array(array: JobArray) -> Words:
    if not array.is_array:
        return ()
    throttle = ("-tc", str(array.max_parallel)) if array.max_parallel else ()
    return ("-t", f"1-{len(array.jobs)}", *throttle)


def _requeue(farm: Farm, needs: Needs) -> Words:
    """Return options that ask for warnings: USR2 before a kill, USR1 at a soft limit of time."""
    if farm.requeue is None:
        return ()
    soft = (needs.time or 0) - farm.requeue.before
    return ("-notify", "-r", "y", *(("-l", f"s_rt={clock(soft)}") if soft > 0 else ()))


def resources(needs: Needs) -> Words:
    """Return what a run needs as options; memory is of each slot of the environment ``smp``.

    >>> resources(Needs(gpus=1, cpus=4, mem=1000, time=60, partition="long.q"))[:6]
    ('-pe', 'smp', '4', '-l', 'gpu=1', '-l')
    """
    refuse(needs, "sge", "qos", "image", "gpu_kind")
    if needs.nodes and needs.nodes > 1:
        refuse(needs, "sge", "nodes")
    return tuple(_resources(needs))


def _resources(needs: Needs) -> Iterator[str]:
    if needs.cpus:
        yield from ("-pe", "smp", str(needs.cpus))
    limits = {
        "gpu": needs.gpus,
        "h_vmem": None if needs.mem is None else f"{math.ceil(needs.mem / (needs.cpus or 1))}M",
        "h_rt": None if needs.time is None else clock(needs.time),
    }
    for name, value in limits.items():
        if value:
            yield from ("-l", f"{name}={value}")
    if needs.constraint:
        yield from ("-l", needs.constraint)
    if needs.partition:
        yield from ("-q", needs.partition)
    if needs.account:
        yield from ("-A", needs.account)
    for resource in needs.rest:
        for text in ("true",) if resource.value is True else texts(resource):
            yield from ("-l", f"{resource.name}={text}")


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``qsub -terse`` prints: an id, and for an array its range."""
    match = re.search(r"^(\d+)(?:\.\d+-\d+:\d+)?$", answer, re.MULTILINE)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}.{index + 1}" for index in range(len(array.jobs))]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``qstat -xml -g d`` lists: each job and task of this user that has not ended."""
    if finished.status:
        return None
    statuses = {}
    for job in ElementTree.fromstring(finished.output).iter("job_list"):
        number, task = job.findtext("JB_job_number", ""), job.findtext("tasks", "")
        key = f"{number}.{task}" if task else number
        index = int(task) - 1 if task.isdecimal() else None
        name = job.findtext("JB_name", "")
        statuses[key] = _live(job.findtext("state", ""))._replace(name=name, task=index)
    return statuses


def _live(state: str) -> JobStatus:
    """Return the status that the letters of a state mean.

    >>> _live("Rq")[:2], _live("hqw")[:2], _live("Rr")[:2]
    (('queued', ''), ('queued', 'held'), ('running', ''))
    """
    if "E" in state:
        return JobStatus("queued", "in error: qstat -j says why, qmod -cj tries again")
    if "w" in state or "q" in state:
        return JobStatus("queued", "held" if "h" in state else "")
    return JobStatus("running", "suspended" if set(state) & set("sST") else "")


def in_accounts(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what qacct lists; of a job's records, one for each attempt, the last counts."""
    if finished.status and "not found" not in finished.errors:
        return None
    statuses = {}
    for record in re.split(r"^={20,}$", finished.output, flags=re.MULTILINE):
        fields = dict(re.findall(r"^(\w+)\s+(.*?)\s*$", record, re.MULTILINE))
        if "jobnumber" in fields:
            task = fields.get("taskid", "")
            key = fields["jobnumber"] + (f".{task}" if task.isdecimal() else "")
            index = int(task) - 1 if task.isdecimal() else None
            statuses[key] = _ended(fields)._replace(name=fields.get("jobname", ""), task=index)
    return statuses


def _ended(fields: dict[str, str]) -> JobStatus:
    reason, status = fields.get("failed", "0"), fields.get("exit_status", "")
    number = reason.split()[0] if reason else "0"
    if number == "37":
        return JobStatus("timeout")
    if number == "100":
        return JobStatus("killed", "")
    if number != "0":
        return JobStatus("failed", reason)
    return (
        JobStatus("done")
        if status.split()[:1] == ["0"]
        else JobStatus("failed", f"exit status {status}")
    )


def _qstat(_: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-xml", "-g", "d")


def _qacct(ids: Sequence[str], farm: Farm) -> Words:
    jobs = dict.fromkeys(job.partition(".")[0] for job in ids)
    # qacct takes one job; for several, it lists those of the last 30 days, of all users.
    return ("qacct", "-j", *jobs) if len(jobs) == 1 else ("qacct", "-d", "30", "-j")


def _listed(*words: str) -> JobCommands:
    """Return a function that appends a list of job ids to a command."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(*words, ",".join(chunk)) for chunk in chunked(ids)]

    return commands


def largest_array(answer: str) -> int | None:
    """Return the most tasks of an array, given what ``qconf -sconf`` prints.

    >>> largest_array("max_aj_instances 2000\\nmax_aj_tasks      75000")
    75000
    """
    match = re.search(r"^max_aj_tasks\s+(\d+)", answer, re.MULTILINE)
    return int(match[1]) if match and int(match[1]) else None


FARM_TYPE = FarmType(
    programs=("qsub", "qstat", "qdel"),
    package="install Grid Engine's client commands, or source its settings.sh",
    submission=submission,
    script=partial(job_script, index="$((SGE_TASK_ID - 1))"),
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_qstat, in_queue), StatusQuery(_qacct, in_accounts)),
    cancel=_listed("qdel"),
    hold=_listed("qhold"),
    release=_listed("qrls"),
    had_ended=lambda finished: "does not exist" in finished.output + finished.errors,
    arrays=True,
    largest=75000,
    limit=ArrayLimit(("qconf", "-sconf"), largest_array),
    waits="ended",
    handback=Handback(status=_REQUEUE_STATUS),
    reads=(),
)
