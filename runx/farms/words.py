"""Words of commands, as several kinds of farms write them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence

from runx.errors import SettingsError
from runx.farms.base import Farm, JobArray
from runx.farms.resources import Needs
from runx.sweeps.values import Hparam

CHUNK = 500
"""Job ids that one command is given."""


def long_flags(resource: Hparam) -> tuple[str, ...]:
    """Write a resource that only the farm knows as ``--k=v``; true is a bare flag, a list repeats.

    >>> long_flags(Hparam("exclusive", True, None)), long_flags(Hparam("gres", "a:1", "a:1"))
    (('--exclusive',), ('--gres=a:1',))
    """
    if resource.value is True:
        return (f"--{resource.name}",)
    return tuple(f"--{resource.name}={text}" for text in texts(resource))


def texts(resource: Hparam) -> tuple[str, ...]:
    """Give the values of a resource; false has none.

    >>> texts(Hparam("mount", ("/a", "/b"), ("/a", "/b"))), texts(Hparam("x", False, None))
    (('/a', '/b'), ())
    """
    if resource.value is None or resource.value is False:
        return ()
    if isinstance(resource.text, tuple):
        return resource.text
    return (resource.text or "",)


def chunked(ids: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """Cut a list of job ids into as many as one command takes.

    >>> list(chunked(["1", "2", "3"], 2))
    [['1', '2'], ['3']]
    """
    return (ids[at : at + size] for at in range(0, len(ids), size))


def each(*words: str) -> Callable[[Sequence[str], Farm], list[tuple[str, ...]]]:
    """Make a function that appends job ids to a command, in as many commands as it takes."""

    def commands(ids: Sequence[str], farm: Farm) -> list[tuple[str, ...]]:
        return [(*words, *some) for some in chunked(ids)]

    return commands


def refuse(needs: Needs, farm: str, *names: str) -> None:
    """Refuse portable resources that a farm has no words for, rather than drop them."""
    for name in names:
        if getattr(needs, name):
            raise SettingsError(
                f"RESOURCES: {name} has no meaning on a farm of TYPE {farm}; say it in the"
                " scheduler's own words, as another key or in DIRECTIVES"
            )


def plain_name(name: str, longest: int = 200) -> str:
    """Write a job's name in letters, digits and dashes that every scheduler takes.

    >>> plain_name("1st sweep_wise-owl"), plain_name("a" * 99, 20)
    ('r1st-sweep_wise-owl', 'aaaaaaaaaaa-13284468')
    """
    from hashlib import sha256

    clean = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    clean = clean if clean[:1].isalpha() else f"r{clean}"
    if len(clean) <= longest:
        return clean
    return f"{clean[: longest - 9]}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


_SEVERAL = re.compile(r"(\d+)_\[([\d,-]+)(?:%\d+)?\]")


def together(ids: Iterable[str]) -> list[str]:
    """Write the tasks of each array as one id: a scheduler is told of thousands at once.

    >>> together(["7", "12_0", "12_1", "12_2", "12_5", "9_3"])
    ['7', '12_[0-2,5]', '9_3']
    """
    arrays: dict[str, list[int]] = {}
    for job in ids:
        array, _, task = job.partition("_")
        arrays.setdefault(array, []).extend([int(task)] if task.isdecimal() else [])
    return [f"{array}{_tasks(sorted(numbers))}" for array, numbers in arrays.items()]


def _tasks(numbers: Sequence[int]) -> str:
    if len(numbers) > 1:
        return f"_[{','.join(_ranges(numbers))}]"
    return f"_{numbers[0]}" if numbers else ""


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    first = 0
    for at, number in enumerate(numbers):
        if at + 1 == len(numbers) or numbers[at + 1] > number + 1:
            yield str(number) if numbers[first] == number else f"{numbers[first]}-{number}"
            first = at + 1


def apart(job: str) -> list[str]:
    """Give the ids that one written for several stands for; any other is itself.

    >>> apart("12_[0-2,5%4]"), apart("12_3"), apart("12")
    (['12_0', '12_1', '12_2', '12_5'], ['12_3'], ['12'])
    """
    match = _SEVERAL.fullmatch(job)
    if match is None:
        return [job]
    parts = (part.partition("-") for part in match[2].split(","))
    return [
        f"{match[1]}_{task}"
        for first, _, last in parts
        for task in range(int(first), int(last or first) + 1)
    ]


def job_script(array: JobArray, farm: Farm, index: str = "") -> str:
    """Return the script of an array; ``index`` is the shell's word for its index, from 0."""
    name, becomes = re.sub(r"[^\w.@+=,-]", " ", array.name), "its run"
    find = [f"run={shlex.quote(str(array.jobs[0].dir.path))}"]
    if array.is_array:
        becomes = "the run of its index"
        runs, home = shlex.quote(str(array.runs)), shlex.quote(str(array.home))
        find = [
            f"mapfile -t -s {index} -n 1 run <{runs} || exit 70",
            f"run={home}/${{run:?no run has this index}}",
        ]
    limit = f"export RUNX_DEADLINE=$((now + {array.needs.time}))"
    lines = [
        "#!/usr/bin/env bash",
        *farm.directives,
        f"# Job {name}: becomes the run.sh of {becomes}.",
        *find,
        'exec >>"$run/output.log" 2>&1',
        *(["printf -v now '%(%s)T' -1", limit] if array.needs.time else []),
        'exec bash "$run/run.sh"',
    ]
    return "".join(f"{line}\n" for line in lines)
