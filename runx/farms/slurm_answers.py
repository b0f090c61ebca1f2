"""What Slurm answers: jobs' ids and states, and the largest array that a site takes."""

from __future__ import annotations

import re

from runx.disk.facts import Word
from runx.farms.array_ids import apart
from runx.farms.kind import Batch, Seen
from runx.processes import Finished

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


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what ``sbatch --parsable`` answers: the id, and the cluster's name behind it.

    >>> from runx.cmdline.resources import Needs
    >>> job_ids("12;big\\n", Batch("n", "l", 0, None, None, (None,), False, Needs()))
    ['12']
    """
    match = re.search(r"^(\d+)(?:;.*)?$", answer, re.MULTILINE)
    if match is None:
        return []
    if not batch.array:
        return [match[1]]
    return [f"{match[1]}_{index}" for index in range(len(batch.errands))]


def in_queue(finished: Finished) -> dict[str, Seen] | None:
    """Read squeue: array job, index, state, reason and name of every job of this user.

    Tasks of an array that were cancelled before they began stand together in one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 4) for line in finished.output.splitlines())
    return {
        one: Seen(_word(state, reason), name)
        for job, index, state, reason, name in rows
        for one in apart(job if index == "N/A" else f"{job}_[{index}]")
    }


def in_accounts(finished: Finished) -> dict[str, Seen] | None:
    """Read sacct: job, state and name; jobs that it doesn't know are simply not there.

    Tasks of an array that ended before they began stand together in one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 2) for line in finished.output.splitlines() if line.count("|") > 1)
    return {
        one: Seen(_word(state.split(" ")[0].rstrip("+"), ""), name)
        for job, state, name in rows
        for one in apart(job)
    }


def _word(state: str, reason: str) -> Word:
    """Translate a state; one that isn't known here is taken for life, which hurts nobody.

    >>> _word("TIMEOUT", "TimeLimit"), _word("NODE_FAIL", "None")
    (Word(state='timeout', why=''), Word(state='lost', why='NODE_FAIL'))
    """
    name = STATES.get(state, "running")
    if name == "queued":
        return Word(name, _REASONS.get(reason, ""))
    if name in ("lost", "failed"):
        words = _REASONS.get(reason) or f"{state} {reason}".removesuffix(" None").rstrip()
        return Word(name, words)
    return Word(name, "" if state in STATES else state)


def largest_array(answer: str) -> int | None:
    """Read the number of indices that an array may have from ``scontrol show config``.

    >>> largest_array("MaxArraySize            = 1001\\nSchedulerParameters = max_array_tasks=9")
    9
    """
    sizes = re.findall(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    sizes += re.findall(r"\bmax_array_tasks=(\d+)", answer)
    return min(map(int, sizes)) if sizes else None
