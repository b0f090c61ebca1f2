"""Reading on in files that others are writing: metrics, TensorBoard events and logs."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.report.curves import read_courses
from runx.rundir.output import readable
from runx.rundir.paths import RunDir
from runx.rundir.records import Record, rows
from runx.rundir.tensorboard import event_files

LOG_END = 20_000
"""Bytes of a log's end that are read first."""

LOG_MORE = 500_000
"""Bytes of a log that are read at once."""

Points: TypeAlias = dict[str, list[tuple[float, float | None, Any]]]
"""New points by phase: epoch, seconds at work, and values."""


class LogPart(NamedTuple):
    """What was added to a run's log, and the place (bytes) up to which it has been read."""

    text: str
    place: int


def attempts_changed(run: RunDir) -> int:
    """Return when the folder of a run's attempts last changed (st_mtime_ns), or 0 without one."""
    try:
        return os.stat(run.attempts).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def read_new_rows(file: Path, read_to: dict[Path, int]) -> list[Record]:
    """Return the complete rows that a metrics file has got since, and note their end in read_to.

    A file that has become shorter was begun anew, and is read from its beginning.
    """
    place = read_to.get(file, 0)
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            begin = place if size >= place else 0
            stream.seek(begin)
            content = stream.read()
    except FileNotFoundError:
        # The run was removed meanwhile.
        return []
    complete = content[: content.rfind(b"\n") + 1]
    read_to[file] = begin + len(complete)
    return list(rows(complete))


def read_new_events(
    run: RunDir, read_to: dict[Path, int], sent: dict[tuple[str, float], dict[str, float]]
) -> tuple[Points, bool]:
    """Return the points in a run's TensorBoard files that are not in ``sent``, and note them there.

    The tags of a step are written one by one: a step that has got more of them is returned again.
    Also returned is whether points that were sent have been superseded.
    """
    new: Points = {}
    if not _have_grown(run.path, read_to):
        return new, False
    seen = set()
    for phase, course in read_courses(run, lambda *_: None).items():
        for nth, (epoch, seconds) in enumerate(zip(course.epochs, course.seconds, strict=True)):
            row = {name: values[nth] for name, values in course.metrics.items()}
            values = {name: value for name, value in row.items() if not math.isnan(value)}
            seen.add((phase, epoch))
            if sent.get((phase, epoch)) != values:
                sent[phase, epoch] = values
                new.setdefault(phase, []).append((epoch, seconds, values))
    superseded = sent.keys() - seen
    for key in superseded:
        del sent[key]
    return new, bool(superseded)


def _have_grown(folder: Path, read_to: dict[Path, int]) -> bool:
    """Return whether the sizes of a run's event files have changed, and note them in read_to."""
    sizes = {file: size for file in event_files(folder) if (size := _size(file))}
    changed = [file for file, size in sizes.items() if read_to.get(file) != size]
    read_to.update(sizes)
    return bool(changed)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def read_log(file: Path, place: int, is_over: bool) -> LogPart:
    """Read a log on from a place, or its end for a place below zero.

    Until the run is over, only complete lines are returned.
    """
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            begin = max(size - LOG_END, 0) if place < 0 or place > size else place
            log.seek(begin)
            content = log.read(LOG_MORE)
    except FileNotFoundError:
        return LogPart("", 0)
    if not is_over:
        # A progress bar ends its lines with a carriage return.
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1]
    return LogPart(readable(content.decode("utf-8", "replace")), begin + len(content))
