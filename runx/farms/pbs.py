"""PBS Pro and OpenPBS: qsub, qstat, qdel, qhold and qrls.

``qstat -x`` lists what has ended, too, unless the server keeps no history, which is its default:
there it lists nothing at all, and ``qstat`` alone shows what has not ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from runx.errors import FarmError
from runx.farms.base import (
    ArrayLimit,
    Farm,
    FarmType,
    JobArray,
    JobCommands,
    StatusQuery,
    Submission,
    Words,
)
from runx.farms.jobscript import job_script
from runx.farms.qstat import UNKNOWN, base, bases, job_statuses
from runx.farms.resources import Needs, clock
from runx.farms.words import (
    all_there,
    each,
    place_by,
    plain_name,
    refuse,
    steps,
    texts,
    there,
    waited,
)

_PLACE = ("PBS_CONF_FILE", "PBS_SERVER", "PBS_DEFAULT")
"""Variables that say which server commands are about; a job's id has its name, too."""
_ENDED_SUBJOB = 55
"""The exit status of a command about a subjob that has ended while its array has not."""


priority = steps("-p")


def submission(array: JobArray, farm: Farm) -> Submission:
    """Return the command that submits an array."""
    found = {"afterok": waited(array.waits, "done"), "afterany": waited(array.waits, "ended")}
    dependencies = [f"{kind}:{':'.join(bases(ids))}" for kind, ids in found.items() if ids]
    words = (
        "qsub",
        *("-N", job_name(array)),
        *("-j", "oe"),
        *("-o", str(array.spool)),
        *("-S", "/bin/bash"),
        *_array(array),
        *(("-W", "depend=" + ",".join(dependencies)) if dependencies else ()),
        *priority(farm),
        *resources(array.needs),
        str(array.script),
    )
    return Submission(words, {})


def job_name(array: JobArray) -> str:
    """Return the name of an array as qsub takes it."""
    return plain_name(array.name)


def _array(array: JobArray) -> Words:
    throttle = f"%{array.max_parallel}" if array.max_parallel else ""
    return ("-J", f"0-{len(array.jobs) - 1}{throttle}") if array.is_array else ()


def resources(needs: Needs) -> Words:
    """Return what a run needs as options: a chunk for each node, then limits of the job.

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
    for licence in needs.licences:
        yield from ("-l", f"{licence.name}={licence.amount}{'mb' if licence.is_size else ''}")
    for resource in needs.rest:
        for text in ("true",) if resource.value is True else texts(resource):
            yield from ("-l", f"{resource.name}={text}")


def job_ids(answer: str, array: JobArray) -> list[str]:
    """Return the ids in what qsub prints: ``4.server``, or ``7[].server`` with ``7[0].server``."""
    words = answer.split()
    if len(words) != 1 or not words[0][0].isdecimal():
        return []
    if not array.is_array:
        return words
    number, _, server = words[0].partition("[]")
    return [f"{number}[{index}]{server}" for index in range(len(array.jobs))]


def _qstat(ids: Sequence[str], farm: Farm) -> Words:
    return there(farm, _PLACE, ("qstat", "-t", "-f", *bases(ids)))


def _qstat_with_ended(ids: Sequence[str], farm: Farm) -> Words:
    # All jobs that ended would be those of weeks, and of everybody.
    return (
        there(farm, _PLACE, ("qstat", "-x", "-t", "-f", *bases(ids))) if ids else _qstat(ids, farm)
    )


def delete(ids: Sequence[str], farm: Farm) -> list[Words]:
    """Return commands that delete jobs: one for each range of an array's subjobs.

    Of several ranges in one command, qdel silently drops all but two.

    >>> delete(["4.s", "7[].s", "8[0].s", "8[3].s", "8[1].s"], Farm("f"))
    [('qdel', '4.s', '7[].s'), ('qdel', '8[0-1].s'), ('qdel', '8[3].s')]
    """
    subjobs: dict[str, list[int]] = {}
    for job in ids:
        if index := re.search(r"\[(\d+)\]", job):
            subjobs.setdefault(base(job), []).append(int(index[1]))
    commands = list(each("qdel")([job for job in ids if base(job) == job], farm))
    for array, indices in subjobs.items():
        for first, last in _ranges(indices):
            span = str(first) if first == last else f"{first}-{last}"
            commands.append(("qdel", array.replace("[]", f"[{span}]")))
    return commands


def _ranges(indices: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers as ranges, from the first to the last of each.

    >>> _ranges([3, 0, 1, 5])
    [(0, 1), (3, 3), (5, 5)]
    """
    ranges: list[tuple[int, int]] = []
    for index in sorted(set(indices)):
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return ranges


def _whole(command: str, verb: str) -> JobCommands:
    """Return a function that gives jobs and whole arrays to a command, which takes no subjobs."""

    def commands(ids: Sequence[str], farm: Farm) -> Sequence[Words]:
        for job in ids:
            if base(job) != job:
                raise FarmError(
                    f"farm {farm.name}: PBS can't {verb} a part of an array, as {job}; name all"
                    f" runs of {base(job)}, or launch with ARRAY: false"
                )
        return each(command)(ids, farm)

    return commands


def largest_array(answer: str) -> int | None:
    """Return the most subjobs of an array, given what qmgr prints of it.

    >>> largest_array("Server node1\\n    max_array_size = 5\\n")
    5
    """
    match = re.search(r"max_array_size = (\d+)", answer)
    return int(match[1]) if match else None


FARM_TYPE = FarmType(
    programs=("qsub", "qstat", "qdel"),
    package="install PBS's client commands, or load the module that has them",
    submission=submission,
    script=partial(job_script, index="$PBS_ARRAY_INDEX"),
    job_ids=job_ids,
    job_name=job_name,
    place=place_by(*_PLACE),
    queries=(
        StatusQuery(_qstat_with_ended, job_statuses),
        StatusQuery(_qstat, job_statuses, instead=True),
    ),
    cancel=all_there(_PLACE, delete),
    hold=all_there(_PLACE, _whole("qhold", "hold")),
    release=all_there(_PLACE, _whole("qrls", "release")),
    array_of=base,
    had_ended=lambda finished: finished.status in (*UNKNOWN, _ENDED_SUBJOB),
    priority=priority,
    licences="sizes",
    arrays=True,
    largest=10000,
    limit=ArrayLimit(("qmgr", "-c", "list server max_array_size"), largest_array),
    smallest=2,
    waits="done",
    reads=(),
)
