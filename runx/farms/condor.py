"""HTCondor: condor_submit, condor_q, condor_history for what has ended, and condor_rm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, Handback, JobArray, StatusQuery, Submission, Words
from runx.farms.resources import Needs
from runx.farms.words import each, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_REQUEUE_STATUS = 75
"""The exit status by which a job stays in the queue."""
_IDLE, _RUNNING, _REMOVED, _COMPLETED, _HELD = "1", "2", "3", "4", "5"
"""Values of JobStatus."""
_TOO_LONG, _MEMORY = "46", "34"
"""Values of HoldReasonCode: the job passed allowed_job_duration, or request_memory."""


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array by its description."""
    return Submission(("condor_submit", "-terse", str(array.script)), {})


def description(array: JobArray, farm: Farm) -> str:
    """Return the description that condor_submit reads: of a job, or of one for each run."""
    lines = [
        f"JobBatchName = {job_name(array)}",
        "executable = /bin/bash",
        f"arguments = {_arguments(array)}",
        f"initialdir = {array.experiment_dir}",
        f"output = {array.folder}/{array.number}.$(Process).out",
        f"error = {array.folder}/{array.number}.$(Process).out",
        f"log = {array.folder}/{array.number}.log",
        "should_transfer_files = NO",
        "kill_sig = SIGTERM",
        *_requeue(farm),
        *resources(array.needs),
        *farm.directives,
    ]
    lines += [f"max_materialize = {array.max_parallel}"] if array.max_parallel else []
    lines += [f"queue run from {array.run_list}" if array.is_array else "queue"]
    return "\n".join(lines) + "\n"


def _arguments(array: JobArray) -> str:
    """Return the path of run.sh in the quotes that condor_submit reads."""
    if array.is_array and ("'" in str(array.experiment_dir) or '"' in str(array.experiment_dir)):
        raise SettingsError(f"{array.experiment_dir}: HTCondor can't be given quotes in LOGROOT")
    path = (
        f"{array.experiment_dir}/$(run)/run.sh" if array.is_array else str(array.jobs[0].dir.script)
    )
    quoted = path.replace("'", "''").replace('"', '""')
    return f"\"'{quoted}'\""


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
    first, dash, last = answer.strip().partition(" - ")
    cluster, _, end = last.partition(".")
    if not dash or not cluster.isdecimal() or first != f"{cluster}.0" or not end.isdecimal():
        return []
    return [f"{cluster}.{process}" for process in range(int(end) + 1)]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what condor_q lists: cluster, process, state, why it is held, and the array's name."""
    if finished.status:
        return None
    rows = (line.split(None, 4) for line in finished.output.splitlines())
    return {
        f"{cluster}.{process}": _live(state, held)._replace(name=name, task=int(process))
        for cluster, process, state, held, name in rows
    }


def _live(state: str, held: str) -> JobStatus:
    if state == _HELD and held == _TOO_LONG:
        return JobStatus("timeout")
    if state == _HELD and held == _MEMORY:
        return JobStatus("oom")
    if state in (_IDLE, _HELD):
        return JobStatus("queued", "held" if state == _HELD else "")
    return {_REMOVED: JobStatus("cancelled"), _COMPLETED: JobStatus("done")}.get(
        state, JobStatus("running")
    )


def in_history(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what condor_history lists: cluster, process, state, exit code, signal and name."""
    if finished.status:
        return None
    rows = (line.split(None, 5) for line in finished.output.splitlines())
    return {
        f"{cluster}.{process}": _ended(state, code, number)._replace(name=name, task=int(process))
        for cluster, process, state, code, number, name in rows
    }


def _ended(state: str, code: str, number: str) -> JobStatus:
    if state == _REMOVED:
        return JobStatus("cancelled")
    if number.isdecimal():
        return JobStatus("killed", f"by signal {number}")
    return JobStatus("done") if code == "0" else JobStatus("failed", f"exit status {code}")


def _condor_q(ids: Sequence[str], farm: Farm) -> Words:
    fields = ("ClusterId", "ProcId", "JobStatus", "HoldReasonCode", "JobBatchName")
    return ("condor_q", "-af", *fields)


def _condor_history(ids: Sequence[str], farm: Farm) -> Words:
    clusters = dict.fromkeys(job.partition(".")[0] for job in ids)
    fields = ("ClusterId", "ProcId", "JobStatus", "ExitCode", "ExitSignal", "JobBatchName")
    return ("condor_history", *clusters, "-af", *fields)


FARM_TYPE = FarmType(
    programs=("condor_submit", "condor_q", "condor_rm"),
    package="install HTCondor's commands, as with pip install htcondor",
    submission=submission,
    script=description,
    job_ids=job_ids,
    job_name=job_name,
    queries=(StatusQuery(_condor_q, in_queue), StatusQuery(_condor_history, in_history)),
    cancel=each("condor_rm"),
    hold=each("condor_hold"),
    release=each("condor_release"),
    had_ended=lambda finished: "not found" in finished.errors + finished.output,
    arrays=True,
    largest=100000,
    handback=Handback(status=_REQUEUE_STATUS),
    reads=(),
)
