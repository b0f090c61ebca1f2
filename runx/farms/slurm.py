"""Slurm: sbatch, squeue, sacct where there is accounting, scancel and scontrol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from runx.cmdline.resources import Needs, clock
from runx.disk.facts import Word
from runx.farms.jobscript import job_script
from runx.farms.kind import Batch, Handback, Kind, Limit, Question, Seen, Words
from runx.farms.words import chunked, each, long_flags
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.types import Submission

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
_REASONS = {
    "JobHeldUser": "held",
    "JobHeldAdmin": "held by an administrator",
    "DependencyNeverSatisfied": "what it waits for has failed",
}
_JOB = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"


def submission(batch: Batch, farm: Farm) -> Submission:
    """Say what submits a batch: everything as words of sbatch, nothing left to quoting."""
    words = (
        "sbatch",
        "--parsable",
        f"--job-name={batch.name}",
        f"--comment=runx {batch.launch}",
        f"--output={_pattern(str(batch.output))}",
        "--open-mode=append",
        f"--chdir={batch.home}",
        *_array(batch),
        *_requeue(farm),
        *_dependency(batch),
        *resources(batch.needs),
        str(batch.script),
    )
    return Submission(words, {})


def _array(batch: Batch) -> Iterator[str]:
    if batch.array:
        throttle = f"%{batch.parallel}" if batch.parallel else ""
        yield f"--array=0-{len(batch.errands) - 1}{throttle}"


def _requeue(farm: Farm) -> Words:
    if farm.requeue is None:
        return ()
    return ("--requeue", f"--signal=B:USR1@{farm.requeue.before}")


def _dependency(batch: Batch) -> Iterator[str]:
    wanted = [f"afterok:{':'.join(batch.after)}"] if batch.after else []
    wanted += [f"afterany:{batch.behind.partition('_')[0]}"] if batch.behind else []
    if wanted:
        yield f"--dependency={','.join(wanted)}"
    if batch.after:
        yield "--kill-on-invalid-dep=yes"


def _pattern(path: str) -> str:
    """Write a path for --output, which reads % as the beginning of a number of the job's."""
    return path.replace("%", "%%")


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


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what ``sbatch --parsable`` answers: the id, and the cluster's name behind it.

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
    """Read squeue: array job, index, state, reason and name of every job of this user."""
    if finished.status:
        return None
    seen = {}
    for line in finished.output.splitlines():
        job, index, state, reason, name = line.split("|", 4)
        seen[f"{job}_{index}" if index.isdecimal() else job] = Seen(_word(state, reason), name)
    return seen


def in_accounts(finished: Finished) -> dict[str, Seen] | None:
    """Read sacct: job, state and name; jobs that it doesn't know are simply not there."""
    if finished.status:
        return None
    rows = (line.split("|", 2) for line in finished.output.splitlines() if line.count("|") > 1)
    return {
        job: Seen(_word(state.split(" ")[0].rstrip("+"), ""), name) for job, state, name in rows
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
        return Word(name, state if reason in ("", "None") else f"{state} {reason}")
    return Word(name, "" if state in STATES else state)


def _squeue(_: Sequence[str], farm: Farm) -> Words:
    return ("squeue", "--me", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%r|%j")


def _sacct(ids: Sequence[str], farm: Farm) -> Words:
    jobs = dict.fromkeys(job.partition("_")[0] for job in ids)
    return ("sacct", "-X", "-n", "-P", "-o", "JobID,State,JobName", "-j", ",".join(jobs))


def _scontrol(verb: str) -> Callable[[Sequence[str], Farm], list[Words]]:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [("scontrol", verb, ",".join(some)) for some in chunked(ids)]

    return commands


def largest_array(answer: str) -> int | None:
    """Read the number of indices that an array may have from ``scontrol show config``.

    >>> largest_array("MaxArraySize            = 1001\\nSchedulerParameters = max_array_tasks=9")
    9
    """
    sizes = re.findall(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    sizes += re.findall(r"\bmax_array_tasks=(\d+)", answer)
    return min(map(int, sizes)) if sizes else None


def _test_only(submission: Submission) -> Submission:
    first, *rest = submission.words
    return Submission((first, "--test-only", *rest), submission.environment, submission.stdin)


def _script(batch: Batch, farm: Farm) -> str:
    return job_script(batch, farm, "$SLURM_ARRAY_TASK_ID")


KIND = Kind(
    programs=("sbatch", "squeue", "scancel"),
    package="install Slurm's client commands, or load the module that has them",
    submission=submission,
    script=_script,
    job_ids=job_ids,
    questions=(Question(_squeue, in_queue), Question(_sacct, in_accounts)),
    cancel=each("scancel"),
    hold=_scontrol("hold"),
    release=_scontrol("release"),
    test_only=_test_only,
    arrays=True,
    limit=Limit(("scontrol", "show", "config"), largest_array),
    waits="done",
    handback=Handback(f'scontrol requeue "{_JOB}"'),
)
