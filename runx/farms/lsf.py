"""LSF: bsub, bjobs, bkill, bstop and bresume."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial

from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    Handback,
    JobArray,
    Place,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.lsf_options import highest, priority, requirements, resources
from runx.farms.words import (
    all_there,
    each,
    place_by,
    plain_name,
    there,
    waited,
)
from runx.processes import Finished
from runx.rundir.events import DEPENDENCY, JobStatus

_REQUEUE_STATUS = 75
"""The exit status by which a job is put back into the queue, by ``-Q``."""
_PLACE = ("LSF_ENVDIR",)
"""The variable that says which cluster commands are about."""
_STATES = {
    "PEND": ("queued", ""),
    "PSUSP": ("queued", "held"),
    "WAIT": ("queued", ""),
    "FWD_PEND": ("queued", ""),
    "RUN": ("running", ""),
    "PROV": ("running", ""),
    "USUSP": ("running", "suspended"),
    "SSUSP": ("running", "suspended by LSF"),
    "UNKWN": ("running", "its host does not answer LSF"),
    "DONE": ("done", ""),
    # It was killed, or is run again under another id, while its host did not answer.
    "ZOMBI": ("unknown", "ZOMBI: its host does not answer LSF"),
}
_REASONS = {
    "TERM_RUNLIMIT": "timeout",
    "TERM_CPULIMIT": "timeout",
    "TERM_DEADLINE": "timeout",
    "TERM_MEMLIMIT": "oom",
    "TERM_SWAP": "oom",
    "TERM_OWNER": "cancelled",
    "TERM_FORCE_OWNER": "cancelled",
    "TERM_ADMIN": "cancelled",
    "TERM_FORCE_ADMIN": "cancelled",
    "TERM_BUCKET_KILL": "cancelled",
    "TERM_ORPHAN_SYSTEM": "cancelled",
    "TERM_PREEMPT": "preempted",
    "TERM_RC_RECLAIM": "preempted",
}


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array; of its script on stdin, #BSUB lines count."""
    name = job_name(array)
    if array.is_array:
        throttle = f"%{array.max_parallel}" if array.max_parallel else ""
        name = f"{name}[1-{len(array.jobs)}]{throttle}"
    words = (
        "bsub",
        *("-J", name),
        *("-o", str(array.output)),
        *("-cwd", str(array.experiment_dir)),
        *_requeue(farm),
        *_waits(array),
        *priority(farm),
        *resources(array.needs, requirements(farm)),
    )
    return Submission(words, {}, script(array, farm), script=array.script)


_HANDBACK = Handback(status=_REQUEUE_STATUS)
script = partial(job_script, index="$((LSB_JOBINDEX - 1))", handback=_HANDBACK)


def _waits(array: JobArray) -> Words:
    """Return what a job waits for; where that can't be any more, it is ended at once.

    Only by their names can elements of an array be waited for pair by pair.
    """
    terms = []
    for when in ("done", "ended"):
        ids = waited(array.waits, when, whole=lambda id: id.partition("[")[0])
        terms += [f"{when}({id})" for id in ids]
    pairs = [each for each in array.waits if each.scope == "each"]
    terms += [f'{each.when}("{each.name}[*]")' for each in pairs]
    return ("-w", " && ".join(terms), "-ti") if terms else ()


def job_name(array: JobArray) -> str:
    """Return the name of an array as bsub takes it, with room for its range."""
    return plain_name(array.name)


def _requeue(farm: Farm) -> Words:
    if not farm.takes_back:
        return ()
    words = ("-r", "-Q", str(_REQUEUE_STATUS))
    if farm.warning is None:
        return words
    return (*words, "-wa", "USR1", "-wt", str(max(math.ceil(farm.warning / 60), 1)))


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what bsub prints: ``Job <12> is submitted to queue <normal>.``"""
    match = re.search(r"^Job <(\d+)> is submitted", answer, re.MULTILINE)
    if match is None:
        return []
    if not array.is_array:
        return [match[1]]
    return [f"{match[1]}[{index + 1}]" for index in range(len(array.jobs))]


def job_statuses(finished: Finished) -> dict[str, JobStatus] | None:
    """Return what bjobs lists: job, index, state, exit code, reasons of its end, name, reason."""
    rows = [line.split("|", 6) for line in finished.output.splitlines() if line.count("|") >= 5]
    if finished.status and not rows and "not found" not in finished.errors:
        return None
    statuses = {}
    for job, index, state, code, why, name, *pending in rows:
        key = f"{job}[{index}]" if index not in ("0", "", "-") else job
        task = int(index) - 1 if key != job else None
        base = re.sub(r"\[.*\]$", "", name)
        waits_for = next((reason for reason in pending if reason.strip(" -")), "")
        statuses[key] = JobStatus(*_status(state, code, why, waits_for), base, task)
    return statuses


def _status(word: str, code: str, why: str, waits_for: str) -> tuple[str, str]:
    """Return the state and reason of a job by the words of bjobs.

    >>> _status("EXIT", "130", "TERM_OWNER: job killed by owner", ""), _status("EXIT", "3", "-", "")
    (('cancelled', ''), ('failed', 'exit status 3'))
    >>> _status("PEND", "-", "-", "Job dependency condition not satisfied")
    ('queued', 'Job dependency condition not satisfied')
    """
    if word == "EXIT":
        return _end(code, why)
    state, reason = _STATES.get(word, ("unknown", word))
    return state, reason or (waits_for if state == "queued" else "")


def _end(code: str, why: str) -> tuple[str, str]:
    end = _REASONS.get(why.split(":")[0].strip())
    if end:
        return end, DEPENDENCY if "ORPHAN" in why else ""
    if why.startswith("TERM_") and "UNKNOWN" not in why and "EXTERNAL_SIGNAL" not in why:
        return "failed", why
    if code.isdecimal() and 128 < int(code) <= 192:
        return "killed", f"by signal {int(code) - 128}"
    return "failed", f"exit status {code}"


def _bjobs(*fields: str) -> StatusQuery:
    """Return a query of jobs of all users: somebody else's are not listed otherwise."""
    names = "jobid jobindex stat exit_code exit_reason job_name"
    form = " ".join((names, *fields, "delimiter='|'"))

    def command(ids: Sequence[str], farm: Farm) -> Words:
        jobs = dict.fromkeys(job.partition("[")[0] for job in ids)
        words = ("bjobs", "-u", "all", "-a", "-noheader", "-o", form, *jobs)
        return there(farm, _PLACE, words)

    return StatusQuery(command, job_statuses)


def had_ended(finished: Finished) -> bool:
    """Return whether all that bkill complains of has ended, or is forgotten.

    >>> had_ended(Finished((), 255, "", "Job <7>: Job has already finished"))
    True
    >>> had_ended(Finished((), 255, "", "Job <8>: User permission denied"))
    False
    """
    lines = f"{finished.output}\n{finished.errors}".splitlines()
    complaints = [line for line in lines if line.strip() and "is being terminated" not in line]
    ended = ("already finished", "No matching job found", "is not found")
    return bool(complaints) and all(any(text in line for text in ended) for line in complaints)


def largest_array(answer: str) -> int | None:
    """Return the most elements of an array, given what ``bparams -a`` prints.

    >>> largest_array("   MAX_JOB_ARRAY_SIZE = 1000")
    1000
    """
    match = re.search(r"MAX_JOB_ARRAY_SIZE = (\d+)", answer)
    return int(match[1]) if match else None


FARM_TYPE = FarmType(
    located=Place(lambda farm: ("bparams", "-a") if farm.priority else (), highest),
    priority=priority,
    licences="numbers",
    gpu_memory=True,
    programs=("bsub", "bjobs", "bkill"),
    package="source LSF's profile.lsf, or load the module that has its commands",
    submission=submission,
    script=script,
    job_ids=job_ids,
    job_name=job_name,
    place=place_by(*_PLACE),
    # Older ones have no pend_reason.
    queries=(_bjobs("pend_reason"), _bjobs()._replace(instead=True)),
    cancel=all_there(_PLACE, each("bkill")),
    hold=all_there(_PLACE, each("bstop")),
    release=all_there(_PLACE, each("bresume")),
    had_ended=had_ended,
    arrays=True,
    largest=1000,
    limit=ArrayLimit(("bparams", "-a"), largest_array),
    waits="done",
    pairs=("done", "ended"),
    parts=True,
    handback=_HANDBACK,
    warns=True,
    reads=(),
)
