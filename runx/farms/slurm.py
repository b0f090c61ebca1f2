"""Slurm: sbatch, squeue, sacct where there is accounting, scancel and scontrol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from runx.farms.base import Farm, FarmType, Handback, JobArray, Limit, Question, Submission, Words
from runx.farms.resources import Needs, clock
from runx.farms.words import apart, chunked, job_script, long_flags, together
from runx.processes import Finished
from runx.rundir.events import JobStatus

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

    >>> from runx.farms.resources import Needs
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


_JOB = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array: all of it as words of sbatch."""
    words = (
        "sbatch",
        "--parsable",
        f"--job-name={array.name}",
        f"--comment=runx {array.launch}",
        # %% is a %, which begins a number of the job's.
        "--output=" + str(array.output).replace("%", "%%"),
        "--open-mode=append",
        f"--chdir={array.home}",
        *_options(array, farm),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def _options(array: JobArray, farm: Farm) -> Iterator[str]:
    if array.is_array:
        throttle = f"%{array.parallel}" if array.parallel else ""
        yield f"--array=0-{len(array.jobs) - 1}{throttle}"
    if farm.requeue is not None:
        yield from ("--requeue", f"--signal=B:USR1@{farm.requeue.before}")
    wanted = [f"afterok:{':'.join(array.after)}"] if array.after else []
    wanted += [f"afterany:{array.behind.partition('_')[0]}"] if array.behind else []
    if wanted:
        yield f"--dependency={','.join(wanted)}"
    if array.after:
        yield "--kill-on-invalid-dep=yes"


def resources(needs: Needs) -> Words:
    """Give what a run needs as flags of sbatch.

    >>> resources(Needs(gpus=2, gpu_kind="a100", mem=1024, time=5400))
    ('--gpus-per-node=a100:2', '--mem=1024M', '--time=01:30:00')
    """
    kind = f"{needs.gpu_kind}:" if needs.gpu_kind else ""
    given = {resource.name for resource in needs.rest}
    several = needs.nodes is not None and "ntasks-per-node" not in given and "ntasks" not in given
    flags = {
        "nodes": needs.nodes,
        "ntasks-per-node": 1 if several else None,
        "gpus-per-node": None if needs.gpus is None else f"{kind}{needs.gpus}",
        "cpus-per-task": needs.cpus,
        "mem": None if needs.mem is None else f"{needs.mem}M",
        "time": None if needs.time is None else clock(needs.time),
        "partition": needs.partition or None,
        "account": needs.account or None,
        "qos": needs.qos or None,
        "constraint": needs.constraint or None,
        "container-image": needs.image or None,
    }
    known = tuple(f"--{flag}={value}" for flag, value in flags.items() if value is not None)
    return (*known, *(word for resource in needs.rest for word in long_flags(resource)))


def _squeue(_: Sequence[str], farm: Farm) -> Words:
    return ("squeue", "--me", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%r|%j")


def _sacct(ids: Sequence[str], farm: Farm) -> Words:
    return ("sacct", "-X", "-n", "-P", "-o", "JobID,State,JobName", "-j", ",".join(ids))


def _array(job: str) -> str:
    return job.partition("_")[0]


def _scancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    return [("scancel", *some) for some in chunked(together(ids))]


def _scontrol(verb: str) -> Callable[[Sequence[str], Farm], list[Words]]:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [("scontrol", verb, ",".join(some)) for some in chunked(together(ids))]

    return commands


def _test_only(submission: Submission) -> Submission:
    first, *rest = submission.words
    return Submission((first, "--test-only", *rest), submission.environment, submission.stdin)


FARM_TYPE = FarmType(
    programs=("sbatch", "squeue", "scancel"),
    package="install Slurm's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$SLURM_ARRAY_TASK_ID"),
    job_ids=job_ids,
    questions=(Question(_squeue, in_queue), Question(_sacct, in_accounts, _array)),
    cancel=_scancel,
    hold=_scontrol("hold"),
    release=_scontrol("release"),
    test_only=_test_only,
    arrays=True,
    limit=Limit(("scontrol", "show", "config"), largest_array),
    waits="done",
    handback=Handback(f'scontrol requeue "{_JOB}"'),
)
