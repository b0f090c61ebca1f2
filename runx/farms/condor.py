"""HTCondor: condor_submit of a description, condor_q, and condor_history for what has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runx.errors import SettingsError
from runx.farms.base import Farm, FarmType, Handback, JobArray, Question, Submission, Words
from runx.farms.resources import Needs
from runx.farms.words import each, plain_name, refuse, texts
from runx.processes import Finished
from runx.rundir.events import JobStatus

_AGAIN = 75


_IDLE, _RUNNING, _REMOVED, _COMPLETED, _HELD = "1", "2", "3", "4", "5"


_TOO_LONG = "46"


_MEMORY = "34"


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array: its description says everything."""
    return Submission(("condor_submit", "-terse", str(array.script)), {})


def description(array: JobArray, farm: Farm) -> str:
    """Write what condor_submit reads: a job for each run of a list, or for the one there is."""
    lines = [
        f"JobBatchName = {job_name(array)}",
        "executable = /bin/bash",
        f"arguments = {_arguments(array)}",
        f"initialdir = {array.home}",
        f"output = {array.folder}/{array.number}.$(Process).out",
        f"error = {array.folder}/{array.number}.$(Process).out",
        f"log = {array.folder}/{array.number}.log",
        "should_transfer_files = NO",
        "kill_sig = SIGTERM",
        *_again(farm),
        *resources(array.needs),
        *farm.directives,
    ]
    lines += [f"max_materialize = {array.parallel}"] if array.parallel else []
    lines += [f"queue run from {array.runs}" if array.is_array else "queue"]
    return "\n".join(lines) + "\n"


def _arguments(array: JobArray) -> str:
    """Write the path of run.sh in the quotes that condor_submit reads."""
    if array.is_array and ("'" in str(array.home) or '"' in str(array.home)):
        raise SettingsError(f"{array.home}: HTCondor can't be given quotes in LOGROOT")
    path = f"{array.home}/$(run)/run.sh" if array.is_array else str(array.jobs[0].dir.script)
    quoted = path.replace("'", "''").replace('"', '""')
    return f"\"'{quoted}'\""


def _again(farm: Farm) -> Iterator[str]:
    if farm.requeue is not None:
        yield f"on_exit_remove = (ExitCode =!= {_AGAIN})"


def resources(needs: Needs) -> Words:
    """Give what a run needs as lines of the description.

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
    known = tuple(f"{name} = {value}" for name, value in lines.items() if value)
    rest = ((one.name, text) for one in needs.rest for text in texts(one) or ("True",))
    return (*known, *(f"{name} = {text}" for name, text in rest))


def job_name(array: JobArray) -> str:
    """Name the array of jobs."""
    return plain_name(array.name)


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Read what ``condor_submit -terse`` answers: the first and last job, ``2.0 - 2.35``."""
    first, dash, last = answer.strip().partition(" - ")
    cluster, _, end = last.partition(".")
    if not dash or not cluster.isdecimal() or first != f"{cluster}.0" or not end.isdecimal():
        return []
    return [f"{cluster}.{process}" for process in range(int(end) + 1)]


def in_queue(finished: Finished) -> dict[str, JobStatus] | None:
    """Read condor_q: cluster, process, state, why it is held, and the array's name."""
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
    """Read condor_history: cluster, process, state, exit code, signal, and the array's name."""
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
    questions=(Question(_condor_q, in_queue), Question(_condor_history, in_history)),
    cancel=each("condor_rm"),
    hold=each("condor_hold"),
    release=each("condor_release"),
    was_over=lambda finished: "not found" in finished.errors + finished.output,
    arrays=True,
    largest=100000,
    handback=Handback(status=_AGAIN),
)
