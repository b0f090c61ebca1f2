"""HTCondor: condor_submit, condor_q, condor_history for what has ended, and condor_rm.

Of an array with MAX_PARALLEL, HTCondor makes only so many jobs at a time, from a *factory* of them.
The others are in no list of jobs, and can be removed, held and released with their cluster alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from runx.farms.base import (
    Farm,
    FarmType,
    Handback,
    JobArray,
    JobCommands,
    Place,
    Submission,
    Words,
)
from runx.farms.condor_after import opener
from runx.farms.condor_status import HELD, LIMITS, OPEN, QUERIES, at_schedd, cluster_of
from runx.farms.jobscript import job_script, run_lines
from runx.farms.resources import Needs
from runx.farms.words import chunked, counts, joined, plain_name, refuse, texts
from runx.processes import Finished

_REQUEUE_STATUS = 75
"""The exit status by which a job stays in the queue."""
_HANDBACK = Handback(status=_REQUEUE_STATUS)
_NOT_THERE = re.compile(r"not found|Couldn't find/remove all jobs|no jobs in the queue")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array by its description.

    What opens jobs that wait goes in before them: it ends where they don't follow.
    """
    words = ("condor_submit", "-terse", str(array.script))
    if not _waits(array):
        return Submission(words, {})
    line = f"condor_submit -terse - >/dev/null && {shlex.join(words)}"
    return Submission(("bash", "-c", line), {}, opener(array, job_name(array)))


def _waits(array: JobArray) -> bool:
    return bool(array.waits)


def description(array: JobArray, farm: Farm) -> str:
    """Return the description that condor_submit reads: of a job for each run.

    Those that passed a limit leave the queue, where HTCondor would hold them.
    """
    folder = _literal(str(array.folder))
    limits = " || ".join(f"HoldReasonCode == {code}" for code in LIMITS)
    lines = [
        f"JobBatchName = {job_name(array)}",
        "executable = /bin/bash",
        f"arguments = {_executed(array) if array.shares else _arguments(array)}",
        f"initialdir = {_literal(str(array.experiment_dir))}",
        f"output = {folder}/{array.number}.$(Process).out",
        f"error = {folder}/{array.number}.$(Process).out",
        f"log = {folder}/{array.number}.log",
        "should_transfer_files = NO",
        "kill_sig = SIGTERM",
        f"periodic_remove = (JobStatus == {HELD}) && ({limits})",
        *_requeue(farm),
        *priority(farm),
        *_gated(array, [*resources(array.needs), *farm.directives]),
    ]
    lines += [f"max_materialize = {array.max_parallel}"] if array.max_parallel else []
    runs = _literal(str(array.run_list)) if array.is_array else f"(\n{run_lines(array)})"
    return "\n".join([*lines, f"queue attempt, run from {runs}"]) + "\n"


def _gated(array: JobArray, lines: Sequence[str]) -> Iterator[str]:
    """Yield lines of a description, with requirements that keep waiting jobs from starting."""
    requirements = ""
    for line in lines:
        name, _, value = line.partition("=")
        if _waits(array) and name.strip().lower() == "requirements":
            requirements = f" && ({value.strip()})"
        else:
            yield line
    if _waits(array):
        yield f"My.{OPEN} = False"
        yield f"requirements = (My.{OPEN} =?= True){requirements}"


def _arguments(array: JobArray) -> str:
    """Return run.sh, the attempt and the job's id in the quotes that condor_submit reads."""
    path = _literal(str(array.experiment_dir)).replace("'", "''").replace('"', '""')
    return f"\"'{path}/$(run)/run.sh' $(attempt) $(Cluster).$(Process)\""


def _executed(array: JobArray) -> str:
    """Return the script of jobs that execute several attempts, its index and the job's id."""
    path = _literal(str(array.executor)).replace("'", "''").replace('"', '""')
    return f"\"'{path}' $(Process) $(Cluster).$(Process)\""


def executor(array: JobArray, farm: Farm) -> str:
    """Return the script of jobs that execute several attempts; DIRECTIVES are not its own."""
    return job_script(array, farm._replace(directives=()), "$1", _HANDBACK)


def _literal(text: str) -> str:
    """Return text in which condor_submit finds no macros.

    >>> _literal("/home/$(me)")
    '/home/$(DOLLAR)(me)'
    """
    return text.replace("$", "$(DOLLAR)")


def _requeue(farm: Farm) -> Iterator[str]:
    if farm.takes_back:
        yield f"on_exit_remove = (ExitCode =!= {_REQUEUE_STATUS})"


def priority(farm: Farm) -> Words:
    """Return PRIORITY as a line of the description: HTCondor orders a user's own jobs by it."""
    return (f"priority = {farm.priority}",) if farm.priority else ()


def resources(needs: Needs) -> Words:
    """Return what a run needs as lines of the description.

    >>> resources(Needs(gpus=1, mem=1024, time=60))
    ('request_gpus = 1', 'request_memory = 1024MB', 'allowed_job_duration = 60')
    """
    refuse(needs, "condor", "nodes", "partition", "qos", "gpu_kind")
    name = "concurrency_limits"
    licences = joined(needs.rest, name, counts(needs, "{}:{}")) if needs.licences else ""
    lines = {
        "request_gpus": needs.gpus,
        "gpus_minimum_memory": needs.gpu_mem,
        "request_cpus": needs.cpus,
        "request_memory": None if needs.mem is None else f"{needs.mem}MB",
        "allowed_job_duration": needs.time,
        "accounting_group": needs.account,
        "requirements": needs.constraint,
        "container_image": needs.image,
        "concurrency_limits": licences,
    }
    portable = tuple(f"{name} = {value}" for name, value in lines.items() if value)
    rest = (
        f"{resource.name} = {text}"
        for resource in needs.rest
        if not licences or resource.name != name
        for text in texts(resource) or ("True",)
    )
    return (*portable, *rest)


def job_name(array: JobArray) -> str:
    """Return the name of an array, as its JobBatchName."""
    return plain_name(array.name)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``condor_submit -terse`` prints, as ``2.0 - 2.35``."""
    match = re.fullmatch(r"(\d+)\.0 - \1\.(\d+)", answer.strip())
    return [f"{match[1]}.{process}" for process in range(int(match[2]) + 1)] if match else []


def schedd(finished: Finished, farm: Farm) -> dict[str, str]:
    """Return the name of the schedd that has the jobs of an address, or else takes those from here.

    Each has ids of its own, and can be asked from elsewhere by its name.
    """
    match = re.search(r"^-- Schedd: (\S+) : <", finished.output, re.MULTILINE)
    name = farm.options.get("schedd") or (match[1] if match else "")
    return {"schedd": name} if name else {}


def _each(command: str) -> JobCommands:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(command, *at_schedd(farm), *chunk) for chunk in chunked(ids)]

    return commands


FARM_TYPE = FarmType(
    gpu_memory=True,
    programs=("condor_submit", "condor_q", "condor_rm"),
    package="install HTCondor's commands, as with pip install htcondor",
    submission=submission,
    script=description,
    job_ids=job_ids,
    job_name=job_name,
    located=Place(lambda farm: ("condor_q", "-totals", "0"), schedd),
    queries=QUERIES,
    cancel=_each("condor_rm"),
    hold=_each("condor_hold"),
    release=_each("condor_release"),
    array_of=cluster_of,
    had_ended=lambda finished: bool(_NOT_THERE.search(finished.errors + finished.output)),
    priority=priority,
    licences="numbers",
    arrays=True,
    largest=100000,
    waits="done",
    stepwise="",
    executor=executor,
    handback=_HANDBACK,
    reads=(),
)
