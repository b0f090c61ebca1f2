"""HTCondor: condor_submit, condor_q, condor_history for what has ended, and condor_rm.

Of an array with MAX_PARALLEL, HTCondor makes only so many jobs at a time, from a *factory* of them.
The others are in no list of jobs, and can be removed, held and released with their cluster alone.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from runx.farms.base import (
    Farm,
    FarmType,
    Handback,
    JobArray,
    JobCommands,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import run_lines
from runx.farms.resources import Needs
from runx.farms.words import chunked, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 75
"""The exit status by which a job stays in the queue."""
_IDLE, _RUNNING, _REMOVED, _COMPLETED, _HELD, _OUTPUT, _SUSPENDED = range(1, 8)
"""Values of JobStatus; ``_OUTPUT``: what it wrote is transferred."""
_LIMITS = {46: "timeout", 34: "oom"}
"""Values of HoldReasonCode: the job passed allowed_job_duration, or request_memory."""
_NOT_THERE = re.compile(r"not found|Couldn't find/remove all jobs|no jobs in the queue")
_ATTRIBUTES = (
    *("ClusterId", "ProcId", "JobBatchName", "JobStatus", "LastJobStatus", "RemoveReason"),
    *("ExitBySignal", "ExitSignal", "ExitCode"),
    *("HoldReason", "HoldReasonCode", "LastHoldReasonCode"),
    *("TotalSubmitProcs", "JobMaterializeNextProcId"),
    *("JobMaterializePaused", "JobMaterializePauseReason"),
)


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array by its description, and says to which schedd."""
    submit = shlex.join(("condor_submit", "-terse", str(array.script)))
    return Submission(("bash", "-c", f"{submit} && {{ condor_q -totals || true; }}"), {})


def description(array: JobArray, farm: Farm) -> str:
    """Return the description that condor_submit reads: of a job for each run.

    Those that passed a limit leave the queue, where HTCondor would hold them.
    """
    folder = _literal(str(array.folder))
    limits = " || ".join(f"HoldReasonCode == {code}" for code in _LIMITS)
    lines = [
        f"JobBatchName = {job_name(array)}",
        "executable = /bin/bash",
        f"arguments = {_arguments(array)}",
        f"initialdir = {_literal(str(array.experiment_dir))}",
        f"output = {folder}/{array.number}.$(Process).out",
        f"error = {folder}/{array.number}.$(Process).out",
        f"log = {folder}/{array.number}.log",
        "should_transfer_files = NO",
        "kill_sig = SIGTERM",
        f"periodic_remove = (JobStatus == {_HELD}) && ({limits})",
        *_requeue(farm),
        *resources(array.needs),
        *farm.directives,
    ]
    lines += [f"max_materialize = {array.max_parallel}"] if array.max_parallel else []
    runs = _literal(str(array.run_list)) if array.is_array else f"(\n{run_lines(array)})"
    return "\n".join([*lines, f"queue attempt, run from {runs}"]) + "\n"


def _arguments(array: JobArray) -> str:
    """Return run.sh, the attempt and the job's id in the quotes that condor_submit reads."""
    path = _literal(str(array.experiment_dir)).replace("'", "''").replace('"', '""')
    return f"\"'{path}/$(run)/run.sh' $(attempt) $(Cluster).$(Process)\""


def _literal(text: str) -> str:
    """Return text in which condor_submit finds no macros.

    >>> _literal("/home/$(me)")
    '/home/$(DOLLAR)(me)'
    """
    return text.replace("$", "$(DOLLAR)")


def _requeue(farm: Farm) -> Iterator[str]:
    if farm.requeue is not None:
        yield f"on_exit_remove = (ExitCode =!= {_REQUEUE_STATUS})"


def resources(needs: Needs) -> Words:
    """Return what a run needs as lines of the description.

    >>> resources(Needs(gpus=1, mem=1024, time=60))
    ('request_gpus = 1', 'request_memory = 1024MB', 'allowed_job_duration = 60')
    """
    refuse(needs, "condor", "nodes", "partition", "qos", "gpu_kind")
    lines = {
        "request_gpus": needs.gpus,
        "request_cpus": needs.cpus,
        "request_memory": None if needs.mem is None else f"{needs.mem}MB",
        "allowed_job_duration": needs.time,
        "accounting_group": needs.account,
        "requirements": needs.constraint,
        "container_image": needs.image,
    }
    portable = tuple(f"{name} = {value}" for name, value in lines.items() if value)
    rest = (
        f"{resource.name} = {text}"
        for resource in needs.rest
        for text in texts(resource) or ("True",)
    )
    return (*portable, *rest)


def job_name(array: JobArray) -> str:
    """Return the name of an array, as its JobBatchName."""
    return plain_name(array.name)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what ``condor_submit -terse`` prints, as ``2.0 - 2.35``."""
    match = re.match(r"\s*(\d+)\.0 - \1\.(\d+)$", answer, re.MULTILINE)
    return [f"{match[1]}.{process}" for process in range(int(match[2]) + 1)] if match else []


def place(answer: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the name of the schedd that a submission went to: each has ids of its own.

    >>> place("2.0 - 2.35\\n\\n-- Schedd: login1 : <10.0.0.1:9618?... @ 11/28/26", {})
    {'schedd': 'login1'}
    """
    match = re.search(r"^-- Schedd: (\S+) : <", answer, re.MULTILINE)
    return {"schedd": match[1]} if match else {}


def _cluster(job: str) -> str:
    return job.partition(".")[0]


def _at(farm: Farm) -> Words:
    """Return the words by which a command asks the schedd that has a farm's jobs."""
    return ("-name", farm.options["schedd"]) if "schedd" in farm.options else ()


def job_statuses(finished: Finished, in_queue: bool = True) -> dict[str, JobStatus] | None:
    """Return what a list of jobs or of factories says, with the jobs that are not made yet.

    Of nothing, condor_q prints nothing, and condor_history an empty list.
    """
    if finished.status:
        return None
    statuses: dict[str, JobStatus] = {}
    factories: dict[str, Mapping[str, Any]] = {}
    for ad in json.loads(finished.output or "[]"):
        cluster, name = str(ad["ClusterId"]), str(ad.get("JobBatchName", ""))
        if "ProcId" in ad:
            process = int(ad["ProcId"])
            statuses[f"{cluster}.{process}"] = _status(ad, in_queue)._replace(
                name=name, task=process
            )
        if in_queue and "JobMaterializeNextProcId" in ad and ad.get("JobStatus") != _REMOVED:
            factories[cluster] = ad
    for cluster, ad in factories.items():
        waiting = _waiting(ad)._replace(name=str(ad.get("JobBatchName", "")))
        for process in range(ad["JobMaterializeNextProcId"], ad.get("TotalSubmitProcs", 0)):
            statuses.setdefault(f"{cluster}.{process}", waiting._replace(task=process))
    return statuses


def _waiting(factory: Mapping[str, Any]) -> JobStatus:
    """Return the status of jobs that their factory has not made yet."""
    paused = factory.get("JobMaterializePaused", 0)
    if paused > 0:
        return JobStatus("queued", "held")
    if paused < 0:
        why = factory.get("JobMaterializePauseReason", "")
        return JobStatus("queued", f"HTCondor makes no more jobs of it: {why}")
    return JobStatus("queued", "waits for its turn")


def _status(ad: Mapping[str, Any], in_queue: bool) -> JobStatus:
    state = ad.get("JobStatus")
    if state == _IDLE:
        return JobStatus("queued")
    if state in (_RUNNING, _OUTPUT, _SUSPENDED):
        return JobStatus("running", "suspended" if state == _SUSPENDED else "")
    if state == _HELD:
        limit = _LIMITS.get(ad.get("HoldReasonCode", 0))
        reason = f"held: {ad['HoldReason']}" if ad.get("HoldReason") else "held"
        return JobStatus(limit) if limit else JobStatus("queued", reason)
    if state == _REMOVED:
        return JobStatus("running", "being removed") if in_queue else _removed(ad)
    return _completed(ad) if state == _COMPLETED else JobStatus("unknown", f"JobStatus {state}")


def _removed(ad: Mapping[str, Any]) -> JobStatus:
    """Return the status of a removed job: where it was held for a limit, that has ended it."""
    if ad.get("LastJobStatus") == _HELD and ad.get("LastHoldReasonCode") in _LIMITS:
        return JobStatus(_LIMITS[ad["LastHoldReasonCode"]])
    why = str(ad.get("RemoveReason", ""))
    return JobStatus("cancelled", "" if why.startswith("via condor_rm") else why)


def _completed(ad: Mapping[str, Any]) -> JobStatus:
    """Return the status of a job by its last start; ExitSignal alone may be of an earlier one."""
    if ad.get("ExitBySignal"):
        return JobStatus("killed", f"by signal {ad.get('ExitSignal')}")
    if "ExitCode" not in ad:
        return JobStatus("unknown", "completed, without an exit status")
    return (
        JobStatus("failed", f"exit status {ad['ExitCode']}")
        if ad["ExitCode"]
        else JobStatus("done")
    )


def _condor_q(*flags: str) -> StatusQuery:
    def command(ids: Sequence[str], farm: Farm) -> Words:
        asked = ("-json", "-attributes", ",".join(_ATTRIBUTES))
        return ("condor_q", *_at(farm), "-allusers", *flags, *ids, *asked)

    return StatusQuery(command, job_statuses, _cluster, sees="all", live=True)


def _condor_history(ids: Sequence[str], farm: Farm) -> Words:
    # All that ever was may take minutes to read.
    chosen = ids or ("-limit", "1000")
    asked = ("-json", "-attributes", ",".join(_ATTRIBUTES))
    return ("condor_history", *_at(farm), *chosen, *asked)


def _each(command: str) -> JobCommands:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(command, *_at(farm), *chunk) for chunk in chunked(ids)]

    return commands


_QUEUE = _condor_q()
FARM_TYPE = FarmType(
    programs=("condor_submit", "condor_q", "condor_rm"),
    package="install HTCondor's commands, as with pip install htcondor",
    submission=submission,
    script=description,
    job_ids=job_ids,
    job_name=job_name,
    place=place,
    # Between two answers a factory may have made a job: the queue is asked again about those that
    # nothing else has.
    queries=(
        _QUEUE,
        _condor_q("-factory"),
        StatusQuery(_condor_history, partial(job_statuses, in_queue=False), _cluster, sees="all"),
        _QUEUE,
    ),
    cancel=_each("condor_rm"),
    hold=_each("condor_hold"),
    release=_each("condor_release"),
    array_of=_cluster,
    had_ended=lambda finished: bool(_NOT_THERE.search(finished.errors + finished.output)),
    arrays=True,
    largest=100000,
    handback=Handback(status=_REQUEUE_STATUS),
)
