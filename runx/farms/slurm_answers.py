"""What Slurm answers: jobs' ids and states, and the largest array that a site takes."""

from __future__ import annotations

import re

from runx.farms.array_ids import apart
from runx.farms.base import JobArray
from runx.processes import Finished
from runx.states.attempts import JobStatus

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
    "REVOKED": "cancelled",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "OUT_OF_MEMORY": "oom",
    "NODE_FAIL": "lost",
    "BOOT_FAIL": "lost",
    "PREEMPTED": "preempted",
}
"""Slurm's names of states, and runx's."""
_REASONS = {
    "JobHeldUser": "held",
    "JobHeldAdmin": "held by an administrator",
    "DependencyNeverSatisfied": "what it waits for has failed",
    # What ends by a signal is told so too; without cgroups, what was killed for its memory.
    "JobLaunchFailure": "killed, perhaps for its memory, or never started",
}


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Read what ``sbatch --parsable`` answers: the id, and the cluster's name behind it.

    >>> from runx.cmdline.resources import Needs
    >>> job_ids("12;big\\n", JobArray("n", "l", 0, None, None, (None,), False, Needs()))
    ['12']
    """
    match = re.search(r"^(\d+)(?:;.*)?$", answer, re.MULTILINE)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}_{index}" for index in range(len(array.jobs))]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Read squeue: array job, index, state, reason and name of every job of this user.

    Tasks of an array that were cancelled before they began stand together in one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 4) for line in finished.output.splitlines())
    return {
        one: _status(state, reason)._replace(name=name)
        for job, index, state, reason, name in rows
        for one in apart(job if index == "N/A" else f"{job}_[{index}]")
    }


def in_accounts(finished: Finished) -> dict[str, JobStatus] | None:
    """Read sacct: job, state and name; jobs that it doesn't know are simply not there.

    Tasks of an array that ended before they began stand together in one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 2) for line in finished.output.splitlines() if line.count("|") > 1)
    return {
        one: _status(state.split(" ")[0].rstrip("+"), "")._replace(name=name)
        for job, state, name in rows
        for one in apart(job)
    }


def _status(state: str, reason: str) -> JobStatus:
    """Translate a state; one that isn't known here is taken for life, which hurts nobody.

    >>> _status("TIMEOUT", "TimeLimit")[:2], _status("NODE_FAIL", "None")[:2]
    (('timeout', ''), ('lost', 'NODE_FAIL'))
    """
    name = STATES.get(state, "running")
    if name == "queued":
        return JobStatus(name, _REASONS.get(reason, ""))
    if name in ("lost", "failed"):
        words = _REASONS.get(reason) or f"{state} {reason}".removesuffix(" None").rstrip()
        return JobStatus(name, words)
    return JobStatus(name, "" if state in STATES else state)


def largest_array(answer: str) -> int | None:
    """Read the number of indices that an array may have from ``scontrol show config``.

    >>> largest_array("MaxArraySize            = 1001\\nSchedulerParameters = max_array_tasks=9")
    9
    """
    sizes = re.findall(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    sizes += re.findall(r"\bmax_array_tasks=(\d+)", answer)
    return min(map(int, sizes)) if sizes else None
