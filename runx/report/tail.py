"""Files that others write to, read on from where they were left."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.report.curves import read_courses
from runx.report.details import readable
from runx.rundir.paths import RunDir
from runx.rundir.records import Record, rows
from runx.rundir.tensorboard import event_files

LOG_END = 20_000


LOG_MORE = 500_000


Points: TypeAlias = dict[str, list[tuple[float, float | None, Any]]]
"""What came to each phase: epochs, seconds at work, and values."""


class Fresh(NamedTuple):
    """What was added to a run's log, and the place up to which it has now been read."""

    text: str
    place: int


def touched(run: RunDir) -> int:
    """Say when anything last happened to a run's attempts, as far as their folder tells."""
    try:
        return os.stat(run.attempts).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def added(file: Path, read_to: dict[Path, int]) -> list[Record]:
    """Give the whole rows that a metrics file has got since, and note up to where they go.

    A file that has become shorter was begun anew, and is read from its beginning.
    """
    place = read_to.get(file, 0)
    try:
        with file.open("rb") as content:
            size = content.seek(0, os.SEEK_END)
            begin = place if size >= place else 0
            content.seek(begin)
            whole = content.read()
    except FileNotFoundError:
        # Somebody removes the run while it is looked at.
        return []
    whole = whole[: whole.rfind(b"\n") + 1]
    read_to[file] = begin + len(whole)
    return list(rows(whole))


def added_events(
    run: RunDir, read_to: dict[Path, int], told: dict[tuple[str, float], dict[str, float]]
) -> Points:
    """Read again what a run gave to TensorBoard alone, and give what is not ``told`` yet of it.

    A step's tags are written one by one: a step that has got more of them is given again.
    """
    found: Points = {}
    if not _grown(run.path, read_to):
        return found
    for phase, course in read_courses(run, lambda *_: None).items():
        for nth, (epoch, seconds) in enumerate(zip(course.epochs, course.seconds, strict=True)):
            row = {name: values[nth] for name, values in course.metrics.items()}
            values = {name: value for name, value in row.items() if not math.isnan(value)}
            if told.get((phase, epoch)) != values:
                told[phase, epoch] = values
                found.setdefault(phase, []).append((epoch, seconds, values))
    return found


def _grown(folder: Path, read_to: dict[Path, int]) -> bool:
    """Say whether a run's event files have become more since they were last asked for."""
    sizes = {file: size for file in event_files(folder) if (size := _size(file))}
    changed = [file for file, size in sizes.items() if read_to.get(file) != size]
    read_to.update(sizes)
    return bool(changed)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def log_from(file: Path, place: int, is_over: bool) -> Fresh:
    """Read a log on from a place, in whole lines while more may come."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            begin = max(size - LOG_END, 0) if place < 0 or place > size else place
            log.seek(begin)
            content = log.read(LOG_MORE)
    except FileNotFoundError:
        return Fresh("", 0)
    if not is_over:
        # A progress bar ends its lines with a carriage return.
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1]
    return Fresh(readable(content.decode("utf-8", "replace")), begin + len(content))
