"""PBS Pro and OpenPBS: qsub, qstat -x, which knows what has ended, qdel, qhold and qrls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runx.cmdline.resources import Needs, clock
from runx.disk.facts import Word
from runx.farms.jobscript import job_script
from runx.farms.kind import Batch, Kind, Limit, Question, Seen, Words
from runx.farms.words import each, plain_name, refuse, texts
from runx.plans.experiment import Farm
from runx.processes import Finished
from runx.types import Submission

_UNKNOWN = (35, 153)
"""Exit statuses of commands that were asked, among others, about jobs that are over or unknown."""
_WALLTIME = -29
_QUEUED, _RUNNING = "QHWT", "RESUB"


def submission(batch: Batch, farm: Farm) -> Submission:
    """Say what submits a batch."""
    waits = [f"afterok:{':'.join(batch.after)}"] if batch.after else []
    waits += [f"afterany:{_base(batch.behind)}"] if batch.behind else []
    words = (
        "qsub",
        *("-N", job_name(batch)),
        *("-j", "oe"),
        *("-o", str(batch.spool)),
        *("-S", "/bin/bash"),
        *_array(batch),
        *(("-W", "depend=" + ",".join(waits)) if waits else ()),
        *resources(batch.needs),
        str(batch.script),
    )
    return Submission(words, {})


def job_name(batch: Batch) -> str:
    """Name a job as qsub takes it."""
    return plain_name(batch.name)


def _array(batch: Batch) -> Words:
    throttle = f"%{batch.parallel}" if batch.parallel else ""
    return ("-J", f"0-{len(batch.errands) - 1}{throttle}") if batch.array else ()


def resources(needs: Needs) -> Words:
    """Give what a run needs: a chunk for each node, then limits of the whole job.

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


def job_ids(answer: str, batch: Batch) -> list[str]:
    """Read what qsub answers: ``4.server``, or ``7[].server``, whose tasks are ``7[0].server``."""
    words = answer.split()
    if len(words) != 1 or not words[0][0].isdecimal():
        return []
    if not batch.array:
        return words
    number, _, server = words[0].partition("[]")
    return [f"{number}[{index}]{server}" for index in range(len(batch.errands))]


def _base(job: str) -> str:
    """Name the array of a task: one question is asked about all of it.

    >>> _base("7[3].server"), _base("4.server")
    ('7[].server', '4.server')
    """
    return re.sub(r"\[\d+\]", "[]", job)


def jobs_told(finished: Finished) -> dict[str, Seen] | None:
    """Read ``qstat -f``: a paragraph for each job, of ``name = value`` lines, some continued."""
    if finished.status and finished.status not in _UNKNOWN:
        return None
    found = {}
    text = finished.output.replace("\n\t", "")
    for paragraph in re.split(r"^Job Id: ", text, flags=re.MULTILINE)[1:]:
        job, _, rest = paragraph.partition("\n")
        fields = dict(re.findall(r"^\s*(\S+) = (.*)$", rest, re.MULTILINE))
        # Torque writes it small.
        fields.setdefault("Exit_status", fields.pop("exit_status", ""))
        found[job.strip()] = Seen(_word(fields), fields.get("Job_Name", ""))
    return found


def _word(fields: dict[str, str]) -> Word:
    state = fields.get("job_state", "")
    if state in _QUEUED:
        return Word("queued", "held" if state == "H" else "")
    if state in _RUNNING:
        return Word("running")
    if not fields["Exit_status"]:
        return Word("cancelled", "ended without having run")
    status = int(fields["Exit_status"])
    if status == 0:
        return Word("done")
    if status == _WALLTIME:
        return Word("timeout")
    if status > 256:
        return Word("killed", f"by signal {status - 256}")
    return Word("failed", f"exit status {status}")


def _qstat(ids: Sequence[str], farm: Farm) -> Words:
    return ("qstat", "-x", "-t", "-f", *dict.fromkeys(map(_base, ids)))


def largest_array(answer: str) -> int | None:
    """Read how many subjobs an array may have from ``qmgr -c 'print server'``.

    >>> largest_array("set server max_array_size = 10000")
    10000
    """
    match = re.search(r"max_array_size = (\d+)", answer)
    return int(match[1]) if match else None


def _script(batch: Batch, farm: Farm) -> str:
    return job_script(batch, farm, "$PBS_ARRAY_INDEX")


KIND = Kind(
    programs=("qsub", "qstat", "qdel"),
    package="install PBS's client commands, or load the module that has them",
    submission=submission,
    script=_script,
    job_ids=job_ids,
    job_name=job_name,
    questions=(Question(_qstat, jobs_told),),
    cancel=each("qdel"),
    hold=each("qhold"),
    release=each("qrls"),
    was_over=lambda finished: finished.status in _UNKNOWN,
    arrays=True,
    largest=10000,
    limit=Limit(("qmgr", "-c", "print server"), largest_array),
    smallest=2,
    waits="done",
)
