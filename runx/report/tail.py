"""Reading on in files that others are writing: metrics, TensorBoard events and logs."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.analysis.measurements import measurements_of
from runx.report.curves import Course, courses, found_records
from runx.rundir.output import readable
from runx.rundir.paths import RunDir
from runx.rundir.records import Record, rows
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles, fingerprint

LOG_END = 20_000
"""Bytes of a log's end that are read first."""

LOG_MORE = 500_000
"""Bytes of a log that are read at once."""

Point: TypeAlias = tuple[float, "float | None", Any]
Sent: TypeAlias = dict[tuple[str, float], dict[str, float]]
"""The values that were sent, by phase and epoch."""
Points: TypeAlias = dict[str, list[Point]]
"""New points by phase: epoch, seconds at work, and values."""


class LogPart(NamedTuple):
    """What was added to a run's log, and the place (bytes) up to which it has been read."""

    text: str
    place: int


def attempts_changed(record: RunRecord) -> tuple[int, ...]:
    """Return when the folders of attempts last changed (st_mtime_ns, 0 without one).

    They are those of a run, or of each of its steps.
    """
    return tuple(_changed(step.dir) for step in record.steps) or (_changed(record.dir),)


def _changed(run: RunDir) -> int:
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


def read_new_found(run: RunDir, seen: RunFiles | None) -> tuple[dict[str, Course], RunFiles] | None:
    """Return what a run's script has measured without logx, and the files that were looked at.

    None where none of those that were ``seen`` has changed.
    """
    if seen is not None and fingerprint(seen.path, seen.stamps) == seen.fingerprint:
        return None
    found = measurements_of(run)
    return courses(found_records(found)), found.look


def new_points(course: Course, phase: str, sent: Sent) -> list[Point]:
    """Return the points of a course that are not in ``sent``, and note them there.

    The values of a step are written one by one: a step that has got more is returned again.
    """
    new: list[Point] = []
    for nth, (epoch, seconds) in enumerate(zip(course.epochs, course.seconds, strict=True)):
        row = {name: values[nth] for name, values in course.metrics.items()}
        values = {name: value for name, value in row.items() if not math.isnan(value)}
        if sent.get((phase, epoch)) != values:
            sent[phase, epoch] = values
            new.append((epoch, seconds, values))
    return new


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
