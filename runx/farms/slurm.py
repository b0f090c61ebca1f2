"""Slurm: sbatch, squeue, sacct where there is accounting, scancel and scontrol."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

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
from runx.farms.words import chunked, long_flags, texts
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
"""Slurm's states, and the states of runs that they mean."""
_REASONS = {
    "JobHeldUser": "held",
    "JobHeldAdmin": "held by an administrator",
    "DependencyNeverSatisfied": "what it waits for has failed",
    # Of what a signal ended; without cgroups, also of what was killed for its memory.
    "JobLaunchFailure": "killed, perhaps for its memory, or never started",
}


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``sbatch --parsable`` prints: an id, then the name of a cluster.

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
    """Return what squeue lists: array job, index, state, reason and name of each job of this user.

    Tasks of an array that were cancelled before they started are one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 4) for line in finished.output.splitlines())
    return {
        id: _status(state, reason)._replace(name=name)
        for job, index, state, reason, name in rows
        for id in _expanded(job if index == "N/A" else f"{job}_[{index}]")
    }


def in_accounts(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what sacct lists: job, state and name of those of the jobs that it has.

    Tasks of an array that ended before they started are one line.
    """
    if finished.status:
        return None
    rows = (line.split("|", 2) for line in finished.output.splitlines() if line.count("|") > 1)
    return {
        id: _status(state.split(" ")[0].rstrip("+"), "")._replace(name=name)
        for job, state, name in rows
        for id in _expanded(job)
    }


def _status(state: str, reason: str) -> JobStatus:
    """Return the status that a state of Slurm's means; an unknown one is taken for running.

    >>> _status("TIMEOUT", "TimeLimit")[:2], _status("NODE_FAIL", "None")[:2]
    (('timeout', ''), ('lost', 'NODE_FAIL'))
    """
    name = STATES.get(state, "running")
    if name == "queued":
        return JobStatus(name, _REASONS.get(reason, ""))
    if name in ("lost", "failed"):
        why = f"{state} {reason}".removesuffix(" None").rstrip()
        return JobStatus(name, _REASONS.get(reason) or why)
    return JobStatus(name, "" if state in STATES else state)


def largest_array(answer: str) -> int | None:
    """Return the most indices of an array, given what ``scontrol show config`` prints.

    >>> largest_array("MaxArraySize            = 1001\\nSchedulerParameters = max_array_tasks=9")
    9
    """
    sizes = re.findall(r"^MaxArraySize\s*=\s*(\d+)", answer, re.MULTILINE)
    sizes += re.findall(r"\bmax_array_tasks=(\d+)", answer)
    return min(map(int, sizes)) if sizes else None


_JOB = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array, all of it options of sbatch."""
    words = (
        "sbatch",
        "--parsable",
        f"--job-name={array.name}",
        f"--comment=runx {array.launch}",
        # %% is a %, which begins a number of the job's.
        "--output=" + str(array.output).replace("%", "%%"),
        "--open-mode=append",
        f"--chdir={array.experiment_dir}",
        *_options(array, farm),
        *resources(array.needs),
        str(array.script),
    )
    clusters = ",".join(
        text
        for resource in array.needs.rest
        if resource.name in ("clusters", "cluster", "M")
        for text in texts(resource)
    )
    return Submission(words, {}, place={"cluster": clusters} if clusters else {})


def place(answer: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the cluster of a job by what ``sbatch --parsable`` printed, else by where it goes.

    >>> place("40;u\\n", {}), place("40\\n", {"SLURM_CLUSTERS": "u"})
    ({'cluster': 'u'}, {})
    """
    match = re.search(r"^\d+(?:;(.*))?$", answer, re.MULTILINE)
    names = ("SBATCH_CLUSTERS", "SLURM_CLUSTERS")
    asked = next((environment[name] for name in names if environment.get(name)), "")
    cluster = (match[1] or "").strip() if match else asked
    return {"cluster": cluster} if cluster else {}


def _options(array: JobArray, farm: Farm) -> Iterator[str]:
    if array.is_array:
        throttle = f"%{array.max_parallel}" if array.max_parallel else ""
        yield f"--array=0-{len(array.jobs) - 1}{throttle}"
    if farm.requeue is not None:
        yield from ("--requeue", f"--signal=B:USR1@{farm.requeue.before}")
    dependencies = [f"afterok:{':'.join(array.after)}"] if array.after else []
    dependencies += [f"afterany:{array.afterany.partition('_')[0]}"] if array.afterany else []
    if dependencies:
        yield f"--dependency={','.join(dependencies)}"
    if array.after:
        yield "--kill-on-invalid-dep=yes"


def resources(needs: Needs) -> Words:
    """Return what a run needs as options of sbatch.

    >>> resources(Needs(gpus=2, gpu_kind="a100", mem=1024, time=5400))
    ('--gpus-per-node=a100:2', '--mem=1024M', '--time=01:30:00')
    """
    kind = f"{needs.gpu_kind}:" if needs.gpu_kind else ""
    others = {resource.name for resource in needs.rest}
    has_tasks = "ntasks-per-node" in others or "ntasks" in others
    flags = {
        "nodes": needs.nodes,
        "ntasks-per-node": 1 if needs.nodes is not None and not has_tasks else None,
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
    portable = tuple(f"--{flag}={value}" for flag, value in flags.items() if value is not None)
    return (*portable, *(word for resource in needs.rest for word in long_flags(resource)))


_SQUEUE = ("squeue", "--me", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%r|%j")


def _sacct(ids: Sequence[str], farm: Farm) -> Words:
    return ("sacct", "-X", "-n", "-P", "-o", "JobID,State,JobName", "-j", ",".join(ids))


_TASKS = re.compile(r"(\d+)_\[([\d,-]+)(?:%\d+)?\]")


def _expanded(id: str) -> list[str]:
    """Return the ids of an array's tasks that are written as one; any other id is itself.

    >>> _expanded("12_[0-2,5%4]"), _expanded("12_3"), _expanded("12")
    (['12_0', '12_1', '12_2', '12_5'], ['12_3'], ['12'])
    """
    match = _TASKS.fullmatch(id)
    if match is None:
        return [id]
    ranges = (text.partition("-") for text in match[2].split(","))
    return [
        f"{match[1]}_{task}"
        for first, _, last in ranges
        for task in range(int(first), int(last or first) + 1)
    ]


def _collapsed(ids: Iterable[str]) -> list[str]:
    """Return the tasks of each array as one id, since a command may be about thousands.

    >>> _collapsed(["7", "12_0", "12_1", "12_2", "12_5", "9_3"])
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


def _scancel(ids: Sequence[str], farm: Farm) -> list[Words]:
    return [("scancel", *chunk) for chunk in chunked(_collapsed(ids))]


def _scontrol(verb: str) -> JobCommands:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [("scontrol", verb, ",".join(chunk)) for chunk in chunked(_collapsed(ids))]

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
    place=place,
    queries=(
        StatusQuery(lambda ids, farm: _SQUEUE, in_queue),
        StatusQuery(_sacct, in_accounts, lambda id: id.partition("_")[0]),
    ),
    cancel=_scancel,
    hold=_scontrol("hold"),
    release=_scontrol("release"),
    test_only=_test_only,
    arrays=True,
    limit=ArrayLimit(("scontrol", "show", "config"), largest_array),
    waits="done",
    handback=Handback(f'scontrol requeue "{_JOB}"'),
)
