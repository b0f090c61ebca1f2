"""Ids of an array's tasks as Slurm writes several at once: ``12_[0-3,7]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

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
