"""Torque: older forms of PBS's commands, and Slurm's wrappers of the same names.

The wrapper of qstat shows neither arrays nor how a job ended: there, Slurm's own queries are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from runx.farms import pbs, qstat, slurm
from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    JobArray,
    JobCommands,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs, clock
from runx.farms.words import each, plain_name, refuse, steps, texts, waited
from runx.processes import Finished
from runx.rundir.events import JobStatus

_LONGEST = 15
"""Characters of a job's name that qsub takes."""
_INDEX = '"${PBS_ARRAYID:-${PBS_ARRAY_INDEX:-$SLURM_ARRAY_TASK_ID}}"'
LIMITS = {-10: "oom", -11: "timeout", -12: "timeout"}
"""Exit statuses of jobs that passed a limit: of memory, of time, of the processor's time."""


priority = steps("-p")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array."""
    dependencies = _dependencies("afterok", waited(array.waits, "done"))
    dependencies += _dependencies("afterany", waited(array.waits, "ended", whole=_of_array))
    throttle = f"%{array.max_parallel}" if array.max_parallel else ""
    words = (
        "qsub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *(("-t", f"0-{len(array.jobs) - 1}{throttle}") if array.is_array else ()),
        *(("-W", "depend=" + ",".join(dependencies)) if dependencies else ()),
        *priority(farm),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array, cut to what qsub takes."""
    return plain_name(array.name, _LONGEST)


def resources(needs: Needs) -> Words:
    """Return what a run needs as options, most of it in one list.

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


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what qsub prints: ``4.server``, ``7[].server``, or Slurm's bare number."""
    if array.is_array and re.fullmatch(r"\d+", answer.strip()):
        return [f"{answer.strip()}_{index}" for index in range(len(array.jobs))]
    return pbs.job_ids(answer, array)


def _dependencies(kind: str, jobs: Sequence[str]) -> list[str]:
    """Return dependencies on jobs, of another word where they are on all tasks of an array.

    >>> _dependencies("afterok", ["7[0].server", "7[1].server", "4.server", "12_3"])
    ['afterok:4.server:12_3', 'afterokarray:7[].server']
    """
    arrays = [job for job in qstat.bases(jobs) if "[]" in job]
    single = [job for job in jobs if qstat.base(job) not in arrays]
    return [
        *([f"{kind}:{':'.join(single)}"] if single else []),
        *(f"{kind}array:{array}" for array in arrays),
    ]


def _of_array(job: str) -> str:
    """Return the id of a job's array, as Torque has it or as Slurm has it.

    >>> _of_array("7[0].server"), _of_array("4.server"), _of_array("12_0")
    ('7[].server', '4.server', '12')
    """
    return qstat.base(job).partition("_")[0]


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what qstat lists, without ended jobs of which Slurm's wrapper shows no exit status."""
    jobs = qstat.listed(finished)
    if jobs is None:
        return None
    return {
        job: _status(job, fields)
        for job, fields in jobs.items()
        if fields.get("job_state") != "C" or fields["Exit_status"]
    }


def _status(job: str, fields: Mapping[str, str]) -> JobStatus:
    """Return the status of a job; the names of an array's tasks end in their index.

    >>> _status("7[3].s", {"job_state": "C", "Exit_status": "-11", "Job_Name": "sweep-3"})
    JobStatus(state='timeout', reason='', name='sweep', task=3)
    """
    status = qstat.status(job, fields, LIMITS)
    return status._replace(name=status.name.removesuffix(f"-{status.task}"))


def _with_tasks(ids: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-f", "-t", *qstat.bases(ids))


def _either(verb: str, *words: str) -> JobCommands:
    """Return a function that gives Slurm's commands for its jobs, and others for Torque's.

    The ids of Slurm's are bare numbers; its wrapper of qdel would end all of 12 for 12_3.

    >>> _either("cancel", "qdel")(["7[1].server", "12_3"], Farm("f"))
    [('scancel', '12_3'), ('qdel', '7[1].server')]
    """

    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        of_slurm = [job for job in ids if re.fullmatch(r"\d+(_\d+)?", job)]
        others = [job for job in ids if job not in of_slurm]
        in_slurm = getattr(slurm.FARM_TYPE, verb)(of_slurm, farm) if of_slurm else []
        return [*in_slurm, *each(*words)(others, farm)]

    return commands


def largest_array(answer: str) -> int | None:
    """Return the most jobs of an array, given what ``qmgr -c 'print server'`` prints.

    >>> largest_array("set server max_job_array_size = 500")
    500
    """
    match = re.search(r"max_job_array_size = (\d+)", answer)
    return int(match[1]) if match else None


FARM_TYPE = FarmType(
    programs=("qsub", "qstat", "qdel"),
    package="install Torque's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index=_INDEX),
    job_ids=job_ids,
    job_name=job_name,
    queries=(
        StatusQuery(_with_tasks, job_statuses),
        slurm.FARM_TYPE.queries[0]._replace(instead=True),
        *slurm.FARM_TYPE.queries[1:],
    ),
    cancel=_either("cancel", "qdel"),
    hold=_either("hold", "qhold"),
    release=_either("release", "qrls"),
    had_ended=lambda finished: bool(re.search("nknown|invalid for state", finished.errors)),
    priority=priority,
    arrays=True,
    largest=1000,
    limit=ArrayLimit(("qmgr", "-c", "print server"), largest_array, slurm.FARM_TYPE.limit),
    waits="done",
    # Slurm's qsub leaves a job whose afterok can't be met any more in its queue for ever.
    stepwise="ended",
    reads=(),
)
