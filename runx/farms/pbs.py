"""PBS Pro and OpenPBS: qsub, qstat -x, which lists what has ended too, qdel, qhold and qrls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from runx.farms.base import ArrayLimit, Farm, FarmType, JobArray, StatusQuery, Submission, Words
from runx.farms.jobscript import job_script
from runx.farms.resources import Needs, clock
from runx.farms.words import each, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_UNKNOWN = (35, 153)
"""Exit statuses of commands of which some job is unknown, or has ended."""
_WALLTIME = -29
"""The exit status of a job that passed its limit of time."""
_QUEUED, _RUNNING = "QHWT", "RESUB"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array."""
    dependencies = [f"afterok:{':'.join(array.after)}"] if array.after else []
    dependencies += [f"afterany:{_base(array.afterany)}"] if array.afterany else []
    words = (
        "qsub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *("-S", "/bin/bash"),
        *_array(array),
        *(("-W", "depend=" + ",".join(dependencies)) if dependencies else ()),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as qsub takes it."""
    return plain_name(array.name)


def _array(array: JobArray) -> Words:
    throttle = f"%{array.max_parallel}" if array.max_parallel else ""
    return ("-J", f"0-{len(array.jobs) - 1}{throttle}") if array.is_array else ()


def resources(needs: Needs) -> Words:
    """Return what a run needs as options: a chunk for each node, then limits of the job.

    >>> resources(Needs(gpus=1, cpus=8, mem=1024, time=60))
    ('-l', 'select=1:ncpus=8:ngpus=1:mem=1024mb', '-l', 'walltime=00:01:00')
    """
    refuse(needs, "pbs", "image")
    return tuple(_resources(needs))


def _resources(needs: Needs) -> Iterator[str]:
    chunk = {
        "ncpus": needs.cpus,
        "ngpus": needs.gpus,
        "mem": None if needs.mem is None else f"{needs.mem}mb",
        "gpu_model": needs.gpu_kind,
    }
    each_node = "".join(f":{name}={value}" for name, value in chunk.items() if value)
    each_node += f":{needs.constraint}" if needs.constraint else ""
    if each_node or needs.nodes:
        yield from ("-l", f"select={needs.nodes or 1}{each_node}")
    if needs.time:
        yield from ("-l", f"walltime={clock(needs.time)}")
    for flag, value in (("-q", needs.partition), ("-A", needs.account)):
        if value:
            yield from (flag, value)
    if needs.qos:
        yield from ("-l", f"qos={needs.qos}")
    for resource in needs.rest:
        for text in ("true",) if resource.value is True else texts(resource):
            yield from ("-l", f"{resource.name}={text}")


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what qsub prints: ``4.server``, or ``7[].server`` with ``7[0].server``."""
    words = answer.split()
    if len(words) != 1 or not words[0][0].isdecimal():
        return []
    if not array.is_array:
        return words
    number, _, server = words[0].partition("[]")
    return [f"{number}[{index}]{server}" for index in range(len(array.jobs))]


def _base(job: str) -> str:
    """Return the id of a task's array, about all of which one query is made.

    >>> _base("7[3].server"), _base("4.server")
    ('7[].server', '4.server')
    """
    return re.sub(r"\[\d+\]", "[]", job)


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what ``qstat -f`` lists: a paragraph for each job, of ``name = value`` lines."""
    if finished.status and finished.status not in _UNKNOWN:
        return None
    statuses = {}
    text = finished.output.replace("\n\t", "")
    for paragraph in re.split(r"^Job Id: ", text, flags=re.MULTILINE)[1:]:
        job, _, rest = paragraph.partition("\n")
        fields = dict(re.findall(r"^\s*(\S+) = (.*)$", rest, re.MULTILINE))
        # Torque writes it in small letters.
        fields.setdefault("Exit_status", fields.pop("exit_status", ""))
        statuses[job.strip()] = _status(fields)._replace(name=fields.get("Job_Name", ""))
    return statuses


def _status(fields: dict[str, str]) -> JobStatus:
    state = fields.get("job_state", "")
    if state in _QUEUED:
        return JobStatus("queued", "held" if state == "H" else "")
    if state in _RUNNING:
        return JobStatus("running")
    if not fields["Exit_status"]:
        return JobStatus("cancelled", "ended without having run")
    status = int(fields["Exit_status"])
    if status == 0:
        return JobStatus("done")
    if status == _WALLTIME:
        return JobStatus("timeout")
    if status > 256:
        return JobStatus("killed", f"by signal {status - 256}")
    return JobStatus("failed", f"exit status {status}")


def _qstat(ids: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-x", "-t", "-f", *dict.fromkeys(map(_base, ids)))


def largest_array(answer: str) -> int | None:
    """Return the most subjobs of an array, given what ``qmgr -c 'print server'`` prints.

    >>> largest_array("set server max_array_size = 10000")
    10000
    """
    match = re.search(r"max_array_size = (\d+)", answer)
    return int(match[1]) if match else None


FARM_TYPE = FarmType(
    programs=("qsub", "qstat", "qdel"),
    package="install PBS's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$PBS_ARRAY_INDEX"),
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_qstat, job_statuses),),
    cancel=each("qdel"),
    hold=each("qhold"),
    release=each("qrls"),
    had_ended=lambda finished: finished.status in _UNKNOWN,
    arrays=True,
    largest=10000,
    limit=ArrayLimit(("qmgr", "-c", "print server"), largest_array),
    smallest=2,
    waits="done",
    reads=(),
)
