"""Grid Engine: qsub, qstat, qacct for what has ended, qdel, qhold and qrls."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
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
from runx.farms.words import (
    chunked,
    only_match,
    place_by,
    plain_name,
    refuse,
    steps,
    texts,
    there,
    waited,
)
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 99
"""The exit status by which a job is put back into Grid Engine's queue."""
_ERRORS = ("26", "27", "28", "29")
"""Failures after which a job stays in the queue, in error, until it is tried again or deleted."""
_PLACE = ("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT")
"""Variables that say which cell, of which installation, commands are about."""


priority = steps("-p")


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
        *_waits(array, "-hold_jid", "job", "array"),
        *_waits(array, "-hold_jid_ad", "each"),
        *priority(farm),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def _waits(array: JobArray, flag: str, *scopes: str) -> Words:
    """Return the option by which jobs wait for the ends of others, a whole array for any of its."""
    ids = [id.partition(".")[0] for id in waited(array.waits, "ended", *scopes)]
    return (flag, ",".join(dict.fromkeys(ids))) if ids else ()


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
    if not farm.takes_back:
        return ()
    if farm.warning is None:
        return ("-r", "y")
    soft = (needs.time or 0) - farm.warning
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
    for licence in needs.licences:
        yield from ("-l", f"{licence.name}={licence.amount}{'M' if licence.is_size else ''}")
    for resource in needs.rest:
        for text in ("true",) if resource.value is True else texts(resource):
            yield from ("-l", f"{resource.name}={text}")


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``qsub -terse`` prints: an id, and for an array its range."""
    match = only_match(r"^(\d+)(?:\.\d+-\d+:\d+)?$", answer)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}.{index + 1}" for index in range(len(array.jobs))]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``qstat -xml -g d -r`` lists: each job and task that has not ended."""
    if finished.status:
        return None
    statuses = {}
    for job in ElementTree.fromstring(finished.output).iter("job_list"):
        number, task = job.findtext("JB_job_number", ""), job.findtext("tasks", "")
        key = f"{number}.{task}" if task else number
        index = int(task) - 1 if task.isdecimal() else None
        name = job.findtext("full_job_name") or job.findtext("JB_name") or ""
        state, reason = _live(job.findtext("state", ""), number)
        before = ", ".join(each.text or "" for each in job.iter("predecessor_jobs"))
        if before and state == "queued":
            reason = f"waits for job {before}"
        statuses[key] = JobStatus(state, reason, name, index)
    return statuses


def _live(letters: str, job: str = "") -> tuple[str, str]:
    """Return the state and reason that the letters of a state mean.

    >>> _live("Rq"), _live("hqw"), _live("Rr"), _live("dr")
    (('queued', ''), ('queued', 'held'), ('running', ''), ('running', 'it is being deleted'))
    >>> _live("?x")
    ('unknown', '?x')
    """
    if not letters or set(letters) - set("dEhqrRsStTwPN"):
        return "unknown", letters
    if "E" in letters:
        return "queued", f"in error: qstat -j {job} says why, qmod -cj {job} tries again"
    if "d" in letters:
        return "running" if set(letters) & set("rtsST") else "queued", "it is being deleted"
    if set(letters) & set("wq"):
        return "queued", "held" if "h" in letters else ""
    return "running", "suspended" if set(letters) & set("sSTPN") else ""


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


def _ended(fields: Mapping[str, str]) -> JobStatus:
    """Return the status of a job by its record.

    >>> _ended({"failed": "0", "exit_status": "3"})[:2]
    ('failed', 'exit status 3')
    >>> _ended({"failed": "100 : assumedly after job", "exit_status": "137 (Killed)"})[:2]
    ('killed', 'by signal 9')
    """
    failure = (fields.get("failed") or "0").split()[0]
    status = (fields.get("exit_status") or "").partition(" ")[0]
    signal = int(status) - 128 if status.isdecimal() and 128 < int(status) <= 192 else 0
    if failure in _ERRORS:
        return JobStatus("cancelled", f"deleted after an error, {fields['failed']}")
    if failure == "37":
        return JobStatus("timeout")
    if failure == "100":
        return JobStatus("killed", f"by signal {signal}" if signal else "")
    if failure != "0":
        return JobStatus("failed", fields["failed"])
    if signal:
        return JobStatus("killed", f"by signal {signal}")
    return JobStatus("failed", f"exit status {status}") if status != "0" else JobStatus("done")


def _qstat(_: Sequence[str], farm: Farm) -> Words:
    # Without -u, it lists the jobs of who calls it.
    return there(farm, _PLACE, ("qstat", "-xml", "-g", "d", "-r", "-u", "*"))


def _qacct(ids: Sequence[str], farm: Farm) -> Words:
    jobs = dict.fromkeys(job.partition(".")[0] for job in ids)
    # qacct takes one job; for several, it lists those of the last 30 days, of all users.
    last = tuple(jobs) if len(jobs) == 1 else ()
    return there(farm, _PLACE, ("qacct", *(() if last else ("-d", "30")), "-j", *last))


def _listed(*words: str) -> JobCommands:
    """Return a function that appends a list of job ids to a command."""

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [there(farm, _PLACE, (*words, ",".join(chunk))) for chunk in chunked(ids)]

    return commands


def had_ended(finished: Finished) -> bool:
    """Return whether all that qdel complains of has ended.

    >>> had_ended(Finished((), 1, 'root has deleted job 3\\ndenied: job "99" does not exist', ""))
    True
    >>> had_ended(Finished((), 1, "me - you do not have the necessary privileges", ""))
    False
    """
    lines = f"{finished.output}\n{finished.errors}".splitlines()
    told = re.compile("has (deleted|registered)|is already in deletion")
    complaints = [line for line in lines if line.strip() and not told.search(line)]
    return bool(complaints) and all("does not exist" in line for line in complaints)


def largest_array(answer: str) -> int | None:
    """Return the most tasks of an array, given what ``qconf -sconf`` prints.

    >>> largest_array("max_aj_instances 2000\\nmax_aj_tasks      75000")
    75000
    """
    match = re.search(r"^max_aj_tasks\s+(\d+)", answer, re.MULTILINE)
    return int(match[1]) if match and int(match[1]) else None


_HANDBACK = Handback(status=_REQUEUE_STATUS)

FARM_TYPE = FarmType(
    programs=("qsub", "qstat", "qdel"),
    package="install Grid Engine's client commands, or source its settings.sh",
    submission=submission,
    script=partial(job_script, index="$((SGE_TASK_ID - 1))", handback=_HANDBACK),
    job_ids=job_ids,
    job_name=job_name,
    place=place_by(*_PLACE),
    queries=(StatusQuery(_qstat, in_queue, sees="all"), StatusQuery(_qacct, in_accounts)),
    cancel=_listed("qdel"),
    hold=_listed("qhold"),
    release=_listed("qrls"),
    had_ended=had_ended,
    priority=priority,
    licences="sizes",
    arrays=True,
    largest=75000,
    limit=ArrayLimit(("qconf", "-sconf"), largest_array),
    waits="ended",
    pairs=("ended",),
    handback=_HANDBACK,
    warns=True,
    reads=(),
)
