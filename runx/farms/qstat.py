"""What ``qstat -f`` prints of jobs, as PBS and Torque do: a paragraph for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from signal import SIGTERM

from runx.processes import Finished
from runx.rundir.events import DEPENDENCY, JobStatus

UNKNOWN = (35, 153)
"""Exit statuses of commands of which some job is unknown, or has ended."""
_NO_HISTORY = "not configured to maintain job history"
_STATES = {
    "Q": "queued",
    "H": "queued",
    "W": "queued",
    "T": "queued",
    "R": "running",
    "E": "running",
    "B": "running",
    "S": "running",
    "U": "running",
}
"""Queued, held, waiting, in transit; running, exiting, an array that has begun, suspended."""
_ENDED = "FXC"
"""Finished; a subjob whose array goes on; and, on Torque, completed."""
_DEPENDS, _DELETED, _OWN_ENDS = "22", "91", ("91", "92", "93")
"""Substates: it waits for other jobs; it was deleted; those in which Exit_status is a job's own."""
LIMITS = {-26: "oom", -27: "oom", -28: "timeout", -29: "timeout"}
"""PBS's exit statuses of jobs that passed a limit: of memory, of the processor's time, of time."""


def base(job: str) -> str:
    """Return the id of a subjob's array: its subjobs can't be waited for, held or listed alone.

    >>> base("7[3].server"), base("4.server")
    ('7[].server', '4.server')
    """
    return re.sub(r"\[\d+\]", "[]", job)


def bases(jobs: Iterable[str]) -> list[str]:
    """Return the ids of jobs, and of the arrays of subjobs, each once.

    >>> bases(["7[0].server", "7[1].server", "4.server"])
    ['7[].server', '4.server']
    """
    return list(dict.fromkeys(map(base, jobs)))


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what PBS's ``qstat -f`` lists; None where ``-x`` was asked of one without history."""
    if _NO_HISTORY in finished.errors:
        return None
    jobs = listed(finished)
    return None if jobs is None else {job: status(job, fields) for job, fields in jobs.items()}


def listed(finished: Finished) -> dict[str, dict[str, str]] | None:
    """Return the fields of each job; None where the server can't be asked."""
    if finished.status and finished.status not in UNKNOWN:
        return None
    jobs = {}
    text = finished.output.replace("\n\t", "")
    for paragraph in re.split(r"^Job Id: ", text, flags=re.MULTILINE)[1:]:
        job, _, rest = paragraph.partition("\n")
        fields = dict(re.findall(r"^\s*(\S+) = (.*)$", rest, re.MULTILINE))
        # Torque writes it in small letters.
        fields.setdefault("Exit_status", fields.pop("exit_status", ""))
        jobs[job.strip()] = fields
    return jobs


def status(job: str, fields: Mapping[str, str], limits: Mapping[int, str] = LIMITS) -> JobStatus:
    """Return the status of a job; ``limits``: states by the exit statuses of what passed a limit.

    >>> status("7[3].server", {"job_state": "M", "Job_Name": "sweep"})
    JobStatus(state='unknown', reason='M', name='sweep', task=3)
    """
    letter = fields.get("job_state", "")
    if letter in _ENDED:
        state, reason = _end(fields, limits)
    else:
        state = _STATES.get(letter, "unknown")
        reason = letter if state == "unknown" else _wait(fields) if state == "queued" else ""
    index = re.search(r"\[(\d+)\]", job)
    return JobStatus(state, reason, fields.get("Job_Name", ""), int(index[1]) if index else None)


def _wait(fields: Mapping[str, str]) -> str:
    """Return why a job waits. A held array is H, while its subjobs stay Q.

    >>> _wait({"job_state": "Q", "comment": "Can Never Run: Insufficient amount of resource"})
    'Can Never Run: Insufficient amount of resource'
    >>> _wait({"job_state": "Q", "Hold_Types": "u", "comment": "Job held by me on Sat"})
    'held, Job held by me on Sat'
    """
    comment = fields.get("comment", "")
    # Of an array that has begun, or of a job that ran before: no reason.
    comment = "" if re.match("Job (Array Began|run at|started)", comment) else comment
    if fields.get("substate") == _DEPENDS:
        return f"waits for {fields.get('depend', 'another job')}"
    if fields["job_state"] == "H" or set(fields.get("Hold_Types", "n")) & set("uosp"):
        return f"held, {comment}" if comment else "held"
    return comment


def _end(fields: Mapping[str, str], limits: Mapping[int, str]) -> tuple[str, str]:
    """Return the state and reason of a job that has ended.

    >>> _end({"job_state": "F", "Exit_status": "", "depend": "afterok:4.server"}, {})
    ('cancelled', 'its dependency failed')
    """
    code, substate = fields["Exit_status"], fields.get("substate", "")
    if fields["job_state"] == "X" and substate not in _OWN_ENDS:
        # Where no history is kept, it is the Exit_status of the array.
        return "gone", "it has ended; no history is kept that says how"
    if substate == _DELETED or code == str(256 + SIGTERM):
        return "cancelled", ""
    if code:
        return _exit(int(code), limits)
    if "depend" in fields:
        return "cancelled", DEPENDENCY
    return "cancelled", "ended without having run"


def _exit(status: int, limits: Mapping[int, str]) -> tuple[str, str]:
    """Return the state and reason of an exit status; 128 or 256 is added to a signal's number.

    >>> _exit(3, {}), _exit(137, {}), _exit(265, {})
    (('failed', 'exit status 3'), ('killed', 'by signal 9'), ('killed', 'by signal 9'))
    >>> _exit(-4, {})
    ('failed', 'it could not be run, exit status -4')
    """
    if status == 0:
        return "done", ""
    if status in limits:
        return limits[status], ""
    if status < 0:
        return "failed", f"it could not be run, exit status {status}"
    for added in (256, 128):
        if added < status <= added + 64:
            return "killed", f"by signal {status - added}"
    return "failed", f"exit status {status}"
