"""What Slurm's squeue and sacct answer of jobs: states, and the reasons of those that wait."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from runx.processes import Finished
from runx.rundir.events import DEPENDENCY, JobStatus

STATES = {
    "PENDING": "queued",
    "REQUEUED": "queued",
    "REQUEUE_FED": "queued",
    "REQUEUE_HOLD": "queued",
    "SPECIAL_EXIT": "queued",
    "RESV_DEL_HOLD": "queued",
    "CONFIGURING": "running",
    "RUNNING": "running",
    "COMPLETING": "running",
    "STAGE_OUT": "running",
    "SIGNALING": "running",
    "RESIZING": "running",
    "STOPPED": "running",
    "SUSPENDED": "running",
    "COMPLETED": "done",
    "FAILED": "failed",
    "LAUNCH_FAILED": "failed",
    "RECONFIG_FAIL": "failed",
    "CANCELLED": "cancelled",
    # Of a federation: another of its clusters has started the job, under the same id.
    "REVOKED": "unseen",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "OUT_OF_MEMORY": "oom",
    "NODE_FAIL": "lost",
    "BOOT_FAIL": "lost",
    "PREEMPTED": "preempted",
}
"""Slurm's states, and the states of runs that they mean."""
_WHY_QUEUED = {
    "JobHeldUser": "held; runx release lets it start",
    "JobHeldAdmin": "held by an administrator",
    "launch failed requeued held": "its node couldn't start it; runx release tries again",
    "job requeued in held state": "held; runx release lets it start",
    "DependencyNeverSatisfied": "what it waits for has failed",
    "Dependency": "waits for other jobs",
    "JobArrayTaskLimit": "as many of its array as may run at a time do",
    "BeginTime": "its time to begin has not come",
    "Priority": "others come first",
    "Resources": "nothing is free yet",
    "Licenses": "waits for licenses",
    "PartitionTimeLimit": "asks for more time than its partition gives",
    "PartitionNodeLimit": "asks for more nodes than its partition gives",
    "PartitionConfig": "asks for more than its partition gives",
    "PartitionDown": "its partition takes no jobs to run now",
    "PartitionInactive": "its partition takes no jobs to run now",
    "ReqNodeNotAvail": "nodes that it needs are down, or reserved as for maintenance",
    "Reservation": "waits for its reservation",
    "BadConstraints": "no node has what it asks for",
    "NodeDown": "a node that it needs is down",
    "AccountingPolicy": "a limit of its account or quality of service",
    "Assoc": "a limit of its account",
    "QOS": "a limit of its quality of service",
    "MaxJobCount": "a limit of the cluster",
}
"""What reasons, or kinds of them by their first letters, mean of jobs that wait."""
_WHY_FAILED = {
    # Of what a signal ended; without cgroups, also of what was killed for its memory.
    "JobLaunchFailure": "killed, perhaps for its memory, or never started",
}


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what squeue lists: array job, index, state, reason and name of each job.

    Tasks of an array that were cancelled before they started are one line. It fails where the one
    job that it is asked for is unknown.
    """
    if finished.status:
        return {} if "Invalid job id specified" in finished.errors else None
    rows = (line.split("|", 4) for line in finished.output.splitlines())
    return {
        id: _status(state, reason)._replace(name=name)
        for job, index, state, reason, name in rows
        for id in _expanded(job if index == "N/A" else f"{job}_[{index}]")
    }


def in_accounts(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what sacct lists: job, state, reason and name of those of the jobs that it has.

    Tasks of an array that ended before they started are one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 3) for line in finished.output.splitlines() if line.count("|") > 2)
    return {
        id: _status(state.split(" ")[0].rstrip("+"), reason)._replace(name=name)
        for job, state, reason, name in rows
        for id in _expanded(job)
    }


def _status(state: str, reason: str) -> JobStatus:
    """Return the status that a state of Slurm's means.

    >>> _status("TIMEOUT", "TimeLimit")[:2], _status("NODE_FAIL", "None")[:2]
    (('timeout', ''), ('lost', 'NODE_FAIL'))
    >>> _status("A_STATE_OF_TOMORROW", "")[:2]
    ('unknown', 'A_STATE_OF_TOMORROW')
    """
    name = STATES.get(state, "unknown")
    if name == "queued":
        return JobStatus(name, _why_queued(reason))
    if name == "cancelled":
        return JobStatus(name, DEPENDENCY if reason.startswith("Dependency") else "")
    if name in ("lost", "failed"):
        why = f"{state} {reason}".removesuffix(" None").rstrip()
        return JobStatus(name, _WHY_FAILED.get(reason) or why)
    if name == "unseen":
        return JobStatus(name, "another cluster of the federation has started it")
    return JobStatus(name, state if name == "unknown" else "")


def _why_queued(reason: str) -> str:
    """Return a reason in Slurm's words, and what it means.

    >>> _why_queued("QOSMaxJobsPerUserLimit"), _why_queued("None")
    ('QOSMaxJobsPerUserLimit: a limit of its quality of service', '')
    """
    meaning = next((_WHY_QUEUED[each] for each in _WHY_QUEUED if reason.startswith(each)), "")
    return f"{reason}: {meaning}" if meaning else reason.removeprefix("None")


_TASKS = re.compile(r"(\d+)_\[([\d,:-]+)(?:%\d+)?\]")


def _expanded(id: str) -> list[str]:
    """Return the ids of an array's tasks that are written as one; any other id is itself.

    >>> _expanded("12_[4-5,9%4]"), _expanded("12_[1-5:2]"), _expanded("12_3")
    (['12_4', '12_5', '12_9'], ['12_1', '12_3', '12_5'], ['12_3'])
    """
    match = _TASKS.fullmatch(id)
    if match is None:
        return [id]
    ranges = re.findall(r"(\d+)(?:-(\d+))?(?::(\d+))?", match[2])
    return [
        f"{match[1]}_{task}"
        for first, last, step in ranges
        for task in range(int(first), int(last or first) + 1, int(step or 1))
    ]


def collapsed(ids: Iterable[str]) -> list[str]:
    """Return the tasks of each array as one id, since a command may be about thousands.

    >>> collapsed(["7", "12_0", "12_1", "12_2", "12_5", "9_3"])
    ['7', '12_[0-2,5]', '9_3']
    """
    arrays: dict[str, list[int]] = {}
    for id in ids:
        array, _, task = id.partition("_")
        arrays.setdefault(array, []).extend([int(task)] if task.isdecimal() else [])
    return [f"{array}{_tasks(sorted(numbers))}" for array, numbers in arrays.items()]


def _tasks(numbers: Sequence[int]) -> str:
    if len(numbers) > 1:
        return f"_[{','.join(_ranges(numbers))}]"
    return f"_{numbers[0]}" if numbers else ""


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    first = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] > number + 1:
            yield str(number) if numbers[first] == number else f"{numbers[first]}-{number}"
            first = index + 1
