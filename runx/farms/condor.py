"""HTCondor: condor_submit of a description, condor_q, and condor_history for what has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runx.cmdline.resources import Needs
from runx.disk.facts import Word
from runx.errors import SettingsError
from runx.farms.kind import Batch, Handback, Kind, Question, Seen, Words
from runx.farms.words import each, plain_name, refuse, texts
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.types import Submission

_AGAIN = 75
_IDLE, _RUNNING, _REMOVED, _COMPLETED, _HELD = "1", "2", "3", "4", "5"
_TOO_LONG = "46"
_MEMORY = "34"


def submission(batch: Batch, farm: Farm) -> Submission:
    """Say what submits a batch: its description says everything."""
    return Submission(("condor_submit", "-terse", str(batch.script)), {})


def description(batch: Batch, farm: Farm) -> str:
    """Write what condor_submit reads: a job for each run of a list, or for the one there is."""
    lines = [
        f"JobBatchName = {job_name(batch)}",
        "executable = /bin/bash",
        f"arguments = {_arguments(batch)}",
        f"initialdir = {batch.home}",
        f"output = {batch.folder}/{batch.number}.$(Process).out",
        f"error = {batch.folder}/{batch.number}.$(Process).out",
        f"log = {batch.folder}/{batch.number}.log",
        "should_transfer_files = NO",
        "kill_sig = SIGTERM",
        *_again(farm),
        *resources(batch.needs),
        *farm.directives,
    ]
    lines += [f"max_materialize = {batch.parallel}"] if batch.parallel else []
    lines += [f"queue run from {batch.runs}" if batch.array else "queue"]
    return "\n".join(lines) + "\n"


def _arguments(batch: Batch) -> str:
    """Write the path of run.sh in the quotes that condor_submit reads."""
    if batch.array and ("'" in str(batch.home) or '"' in str(batch.home)):
        raise SettingsError(f"{batch.home}: HTCondor can't be given quotes in LOGROOT")
    path = f"{batch.home}/$(run)/run.sh" if batch.array else str(batch.errand.script)
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


def job_name(batch: Batch) -> str:
    """Name the batch of jobs."""
    return plain_name(batch.name)


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what ``condor_submit -terse`` answers: the first and last job, ``2.0 - 2.35``."""
    first, dash, last = answer.strip().partition(" - ")
    cluster, _, end = last.partition(".")
    if not dash or not cluster.isdecimal() or first != f"{cluster}.0" or not end.isdecimal():
        return []
    return [f"{cluster}.{process}" for process in range(int(end) + 1)]


def in_queue(finished: Finished) -> dict[str, Seen] | None:
    """Read condor_q: cluster, process, state, why it is held, and the batch's name."""
    if finished.status:
        return None
    rows = (line.split(None, 4) for line in finished.output.splitlines())
    return {
        f"{cluster}.{process}": Seen(_live(state, held), name, int(process))
        for cluster, process, state, held, name in rows
    }


def _live(state: str, held: str) -> Word:
    if state == _HELD and held == _TOO_LONG:
        return Word("timeout")
    if state == _HELD and held == _MEMORY:
        return Word("oom")
    if state in (_IDLE, _HELD):
        return Word("queued", "held" if state == _HELD else "")
    return {_REMOVED: Word("cancelled"), _COMPLETED: Word("done")}.get(state, Word("running"))


def in_history(finished: Finished) -> dict[str, Seen] | None:
    """Read condor_history: cluster, process, state, exit code, signal, and the batch's name."""
    if finished.status:
        return None
    rows = (line.split(None, 5) for line in finished.output.splitlines())
    return {
        f"{cluster}.{process}": Seen(_ended(state, code, number), name, int(process))
        for cluster, process, state, code, number, name in rows
    }


def _ended(state: str, code: str, number: str) -> Word:
    if state == _REMOVED:
        return Word("cancelled")
    if number.isdecimal():
        return Word("killed", f"by signal {number}")
    return Word("done") if code == "0" else Word("failed", f"exit status {code}")


def _condor_q(ids: Sequence[str], farm: Farm) -> Words:
    fields = ("ClusterId", "ProcId", "JobStatus", "HoldReasonCode", "JobBatchName")
    return ("condor_q", "-af", *fields)


def _condor_history(ids: Sequence[str], farm: Farm) -> Words:
    clusters = dict.fromkeys(job.partition(".")[0] for job in ids)
    fields = ("ClusterId", "ProcId", "JobStatus", "ExitCode", "ExitSignal", "JobBatchName")
    return ("condor_history", *clusters, "-af", *fields)


KIND = Kind(
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
