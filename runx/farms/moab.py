"""Moab: msub, showq as XML, mjobctl."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

from runx.disk.facts import Word
from runx.farms import torque
from runx.farms.jobscript import job_script
from runx.farms.kind import Batch, Handback, Kind, Question, Seen, Words
from runx.farms.words import plain_name
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.types import Submission


def submission(batch: Batch, farm: Farm) -> Submission:
    """Say what submits a batch; resources are as Torque's."""
    throttle = f"%{batch.parallel}" if batch.parallel else ""
    waits = [f"afterok:{':'.join(batch.after)}"] if batch.after else []
    waits += [f"afterany:{batch.behind.partition('[')[0]}"] if batch.behind else []
    array = f"{job_name(batch)}.[0-{len(batch.errands) - 1}]{throttle}"
    words = (
        "msub",
        *("-N", job_name(batch)),
        *("-j", "oe"),
        *("-o", str(batch.spool)),
        *("-S", "/bin/bash"),
        *(("-t", array) if batch.array else ()),
        *(("-l", "depend=" + ",".join(waits)) if waits else ()),
        *torque.resources(batch.needs),
        str(batch.script),
    )
    return Submission(words, {})


def job_name(batch: Batch) -> str:
    """Name a job as msub takes it."""
    return plain_name(batch.name, 60)


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what msub answers: a blank line, and ``Moab.5`` or ``5``."""
    words = answer.split()
    if len(words) != 1 or not re.fullmatch(r"(?:\w+\.)?\d+", words[0]):
        return []
    if not batch.array:
        return words
    return [f"{words[0]}[{index}]" for index in range(len(batch.errands))]


def live(finished: Finished) -> dict[str, Seen] | None:
    """Read ``showq --xml``: jobs that run, may run, or are kept from it."""
    if finished.status:
        return None
    found = {}
    for queue in ElementTree.fromstring(finished.output).iter("queue"):
        active = queue.get("option") == "active"
        for job in queue.iter("job"):
            why = "held" if "Hold" in job.get("State", "") else ""
            word = Word("running") if active else Word("queued", why)
            found[job.get("JobID", "")] = Seen(word, job.get("JobName", ""))
    return found


def ended(finished: Finished) -> dict[str, Seen] | None:
    """Read ``showq -c --xml``: jobs that have ended, each with its completion code."""
    if finished.status:
        return None
    jobs = ElementTree.fromstring(finished.output).iter("job")
    return {
        job.get("JobID", ""): Seen(_word(job.get("CompletionCode", "")), job.get("JobName", ""))
        for job in jobs
    }


def _word(code: str) -> Word:
    """Translate a completion code: a status, CNCLD, or CNCLD with the limit that was passed.

    >>> _word("0"), _word("CNCLD(wclimit)"), _word("CNCLD")
    (Word(state='done', why=''), Word(state='timeout', why=''), Word(state='cancelled', why=''))
    """
    if "CNCLD" in code:
        return Word("timeout") if "wclimit" in code.lower() else Word("cancelled")
    if not code.lstrip("-").isdecimal():
        return Word("lost", code)
    if int(code) > 256:
        return Word("killed", f"by signal {int(code) - 256}")
    return Word("failed", f"exit status {code}") if int(code) else Word("done")


def _told(*words: str) -> Callable[[Sequence[str], Farm], list[Words]]:
    def commands(ids: Sequence[str], farm: Farm) -> list[Words]:
        return [(*words, job) for job in ids]

    return commands


def _script(batch: Batch, farm: Farm) -> str:
    return job_script(batch, farm, "$MOAB_JOBARRAYINDEX")


KIND = Kind(
    programs=("msub", "showq", "mjobctl"),
    package="install Moab's client commands, or load the module that has them",
    submission=submission,
    script=_script,
    job_ids=job_ids,
    job_name=job_name,
    questions=(
        Question(lambda ids, farm: ("showq", "--xml"), live),
        Question(lambda ids, farm: ("showq", "-c", "--xml"), ended),
    ),
    cancel=_told("mjobctl", "-c"),
    hold=_told("mjobctl", "-h", "user"),
    release=_told("mjobctl", "-u", "user"),
    was_over=lambda finished: "invalid job" in (finished.errors + finished.output).lower(),
    arrays=True,
    largest=1000,
    waits="done",
    handback=Handback('mjobctl -R "$MOAB_JOBID"'),
)
