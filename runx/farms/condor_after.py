"""Jobs of HTCondor that wait for others: submitted closed, and opened by a job beside the schedd.

DAGMan orders jobs that it submits itself, under ids that nobody knows before they start; those that
are waited for here are in the queue already, and those that wait have ids that can be asked for.
So a job in DAGMan's own universe asks for the former as runx does. When they are done it opens the
latter by an attribute that their requirements name; where one can't be done, it removes them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence

from runx.errors import RunxError
from runx.farms.base import Farm, JobArray
from runx.farms.condor_status import OPEN, QUERIES
from runx.farms.words import waited
from runx.processes import Finished, run_command
from runx.rundir.events import JobStatus

POLL = 15.0
"""Seconds between two questions about the jobs that are waited for."""
_QUERY_SECONDS = 60.0
_LIVE = ("queued", "running", "preempted", "unknown")
_ENVIRONMENT = "PATH,HOME,USER,LANG,LC_*,TZ,PYTHONPATH,CONDOR_CONFIG,_CONDOR_*,BEARER_TOKEN*,X509*"
"""Variables that the opener needs: of Python, and of HTCondor's commands."""


def opener(array: JobArray, name: str) -> str:
    """Return the description of the job that opens the jobs of an array, which are called ``name``.

    Where it fails, as without its Python, it is held, and tried again after some minutes.
    """
    done, over = waited(array.waits, "done"), waited(array.waits, "ended")
    call = ", ".join(map(json.dumps, (name, done, over)))
    code = f"from runx.farms.condor_after import open_when_done; open_when_done({call})"
    quoted = code.replace("'", "''").replace('"', '""')
    file = f"{array.folder}/{array.number}.after".replace("$", "$(DOLLAR)")
    lines = [
        f"JobBatchName = {name}.after",
        "universe = scheduler",
        f"executable = {sys.executable}",
        f"arguments = \"-c '{quoted}'\"",
        f"getenv = {_ENVIRONMENT}",
        f"output = {file}.out",
        f"error = {file}.out",
        f"log = {file}.log",
        "on_exit_hold = (ExitCode =!= 0)",
        "periodic_release = (HoldReasonCode == 3) && (time() - EnteredCurrentStatus > 300)",
        "queue",
    ]
    return "\n".join(lines) + "\n"


def open_when_done(
    name: str, done: Sequence[str], over: Sequence[str] | str = (), poll: float = POLL
) -> None:
    """Open the jobs called ``name`` when the jobs ``done`` are done and those ``over`` are over.

    They are removed where one of ``done`` has ended otherwise. Where the schedd doesn't answer, it
    is asked again. A job of an earlier runx, queued still, names the one that is to be over.
    """
    others = [over] if isinstance(over, str) and over else list(over)
    while True:
        time.sleep(poll)
        clusters = _clusters(name)
        if clusters is None:
            continue
        statuses = _statuses([*done, *others])
        if not clusters:
            return
        if statuses is None:
            continue
        failed = next((job for job in done if not _may_be_done(statuses.get(job))), None)
        if failed:
            words = ("condor_rm", "-reason", f"job {failed}, which it waited for, is not done")
            commands = [(*words, *clusters)]
        elif any(status.state in _LIVE for status in statuses.values()):
            continue
        else:
            commands = [("condor_qedit", cluster, OPEN, "True") for cluster in clusters]
        if all(_called(command) for command in commands):
            return


def _may_be_done(status: JobStatus | None) -> bool:
    return status is not None and status.state in (*_LIVE, "done")


def _clusters(name: str) -> list[str] | None:
    """Return the clusters of jobs called ``name``, None where the schedd can't be asked."""
    finished = _called(("condor_q", "-constraint", f'JobBatchName == "{name}"', "-af", "ClusterId"))
    return list(dict.fromkeys(finished.output.split())) if finished else None


def _statuses(ids: Iterable[str]) -> Mapping[str, JobStatus] | None:
    """Return what there is of jobs, None where something can't be asked."""
    statuses: dict[str, JobStatus] = {}
    for query in QUERIES:
        unknown = [job for job in ids if job not in statuses]
        if not unknown:
            break
        clusters = list(dict.fromkeys(map(query.query_id, unknown)))
        finished = _called(query.command(clusters, Farm("condor", type="condor")))
        answer = query.read(finished) if finished else None
        if answer is None:
            return None
        statuses |= {job: answer[job] for job in unknown if job in answer}
    return statuses


def _called(words: Sequence[str]) -> Finished | None:
    """Return what a command printed, None where it failed."""
    try:
        finished = run_command(words, timeout=_QUERY_SECONDS)
    except RunxError as error:
        sys.stderr.write(f"{error}\n")
        return None
    if finished.status:
        sys.stderr.write(f"{words[0]}: {finished.last_line}\n")
        return None
    return finished
