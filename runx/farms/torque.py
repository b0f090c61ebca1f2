"""Torque: the commands of PBS as they were before, and those that Slurm has in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runx.cmdline.resources import Needs, clock
from runx.farms import pbs
from runx.farms.jobscript import job_script
from runx.farms.kind import Batch, Kind, Question, Seen, Words
from runx.farms.words import each, plain_name, refuse, texts
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.types import Submission

_LONGEST = 15
"""Characters of a job's name that qsub takes."""


def submission(batch: Batch, farm: Farm) -> Submission:
    """Say what submits a batch."""
    waits = [f"afterok:{':'.join(batch.after)}"] if batch.after else []
    waits += [f"{'afteranyarray' if batch.array else 'afterany'}:{batch.behind}"] * bool(
        batch.behind
    )
    throttle = f"%{batch.parallel}" if batch.parallel else ""
    words = (
        "qsub",
        *("-N", job_name(batch)),
        *("-j", "oe"),
        *("-o", str(batch.output)),
        *(("-t", f"0-{len(batch.errands) - 1}{throttle}") if batch.array else ()),
        *(("-W", "depend=" + ",".join(waits)) if waits else ()),
        *resources(batch.needs),
        str(batch.script),
    )
    return Submission(words, {})


def job_name(batch: Batch) -> str:
    """Name a job in the few letters that there are."""
    return plain_name(batch.name, _LONGEST)


def resources(needs: Needs) -> Words:
    """Give what a run needs, all in one list.

    >>> resources(Needs(gpus=1, cpus=8, mem=1024, time=60))
    ('-l', 'nodes=1:ppn=8:gpus=1,mem=1024mb,walltime=00:01:00')
    """
    refuse(needs, "torque", "image", "gpu_kind")
    limits = ",".join(_limits(needs))
    queue = ("-q", needs.partition) if needs.partition else ()
    account = ("-A", needs.account) if needs.account else ()
    return (*(("-l", limits) if limits else ()), *queue, *account)


def _limits(needs: Needs) -> Iterator[str]:
    if needs.nodes or needs.cpus or needs.gpus or needs.constraint:
        node = f"nodes={needs.nodes or 1}"
        node += f":ppn={needs.cpus}" if needs.cpus else ""
        node += f":gpus={needs.gpus}" if needs.gpus else ""
        yield node + (f":{needs.constraint}" if needs.constraint else "")
    if needs.mem:
        yield f"mem={needs.mem * (needs.nodes or 1)}mb"
    if needs.time:
        yield f"walltime={clock(needs.time)}"
    if needs.qos:
        yield f"qos={needs.qos}"
    for resource in needs.rest:
        yield from (f"{resource.name}={text}" for text in texts(resource))


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what qsub answers: ``4.server``, ``7[].server``, or of Slurm's the bare number."""
    if batch.array and re.fullmatch(r"\d+", answer.strip()):
        return [f"{answer.strip()}_{index}" for index in range(len(batch.errands))]
    return pbs.job_ids(answer, batch)


def _base(job: str) -> str:
    """Name the array of a task: one question is asked about all of it."""
    return re.sub(r"\[\d+\]", "[]", job)


def jobs_told(finished: Finished) -> dict[str, Seen] | None:
    """Read qstat as PBS's, but for jobs that ended and whose exit status it doesn't tell."""
    told = pbs.jobs_told(finished)
    if told is None:
        return None
    return {job: seen for job, seen in told.items() if seen.word.state != "cancelled"}


def _with_tasks(ids: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-f", "-t", *dict.fromkeys(map(_base, ids)))


def _without(ids: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-f", *ids)


def _script(batch: Batch, farm: Farm) -> str:
    return job_script(batch, farm, '"${PBS_ARRAYID:-$PBS_ARRAY_INDEX}"')


KIND = Kind(
    programs=("qsub", "qstat", "qdel"),
    package="install Torque's client commands, or load the module that has them",
    submission=submission,
    script=_script,
    job_ids=job_ids,
    job_name=job_name,
    questions=(Question(_with_tasks, jobs_told), Question(_without, jobs_told)),
    cancel=each("qdel"),
    hold=each("qhold"),
    release=each("qrls"),
    was_over=lambda finished: "nknown" in finished.errors + finished.output,
    arrays=True,
    largest=1000,
    waits="done",
)
