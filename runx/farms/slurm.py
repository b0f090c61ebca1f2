"""Slurm: sbatch, squeue, sacct where there is accounting, scancel and scontrol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from runx.cmdline.resources import Needs, clock
from runx.farms.array_ids import together
from runx.farms.base import Farm, FarmType, Handback, JobArray, Limit, Question, Submission, Words
from runx.farms.jobscript import job_script
from runx.farms.slurm_answers import in_accounts, in_queue, job_ids, largest_array
from runx.farms.words import chunked, long_flags

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
