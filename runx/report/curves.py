"""What runs have measured, epoch by epoch, and how a page holds it in few bytes."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from runx.analysis.decode import counted_records
from runx.analysis.measurements import Measurements
from runx.rundir.paths import RunDir, metrics_of
from runx.rundir.records import Record, rows

MOST = 2_000
"""Points of one curve that a report holds; of longer ones it has every k-th and the last."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one phase of a run measured: for each epoch the seconds at work until then, and values.

    A metric that an epoch lacks is NaN there.
    """

    epochs: list[float]
    seconds: list[float]
    metrics: dict[str, list[float]] = field(default_factory=dict)


def courses(records: Iterable[Record]) -> dict[str, Course]:
    """Return courses by phase, sorted by epoch: of an epoch the last attempt's values.

    >>> courses([Record("val", {"acc": 9}, 1, 5.0), Record("val", {"acc": 8}, 2, 7.0)])["val"]
    Course(epochs=[1, 2], seconds=[0.0, 2.0], metrics={'acc': [9.0, 8.0]})
    """
    records = list(records)
    seconds = seconds_at_work(records)
    by_phase: dict[str, dict[float, tuple[float, dict[str, float]]]] = {}
    for record in counted_records(records):
        points = by_phase.setdefault(record.phase, {})
        epoch = record.epoch if record.epoch is not None else len(points)
        before = points.get(epoch, (0.0, {}))[1]
        points[epoch] = (seconds(record.timestamp), {**before, **numbers(record)})
    return {phase: _course(points) for phase, points in by_phase.items() if points}


def validation(phases: Container[str]) -> str:
    """Return the phase that a run is judged by: that of its tests where it has no validation.

    >>> validation({"train": 1, "test": 2}), validation({"val": 1, "test": 2})
    ('test', 'val')
    """
    return "test" if "test" in phases and "val" not in phases else "val"


def _course(points: dict[float, tuple[float, dict[str, float]]]) -> Course:
    epochs = sorted(epoch for epoch in points if math.isfinite(epoch))
    names = dict.fromkeys(name for epoch in epochs for name in points[epoch][1])
    return Course(
        epochs,
        [points[epoch][0] for epoch in epochs],
        {name: [points[epoch][1].get(name, math.nan) for epoch in epochs] for name in names},
    )


def numbers(record: Record) -> dict[str, float]:
    """Return what a record measured that is a number.

    >>> numbers(Record("val", {"acc": 9, "note": "good", "ok": True}))
    {'acc': 9.0, 'ok': 1.0}
    """
    return {
        name: float(value) for name, value in record.metrics.items() if not isinstance(value, str)
    }


def seconds_at_work(records: Sequence[Record]) -> Callable[[float | None], float]:
    """Return a function from a time to the seconds that a run had then been at work.

    The time between the last record of an attempt and the start of the next doesn't count.

    >>> at = seconds_at_work([Record("start", {}, None, 100.0), Record("val", {}, 1, 110.0),
    ...                       Record("start", {}, None, 500.0), Record("val", {}, 2, 507.0)])
    >>> at(110.0), at(507.0)
    (10.0, 17.0)
    """
    stamps = sorted(row.timestamp for row in records if row.timestamp is not None)
    starts = sorted(
        row.timestamp for row in records if row.phase == "start" and row.timestamp is not None
    )
    starts = starts or stamps[:1]
    worked = [0.0]
    for begin, end in pairwise(starts):
        before = stamps[bisect_right(stamps, end) - 2]
        worked.append(worked[-1] + max(before - begin, 0.0))

    def at(time: float | None) -> float:
        if time is None or not starts:
            return math.nan
        nth = max(bisect_right(starts, time) - 1, 0)
        return worked[nth] + time - starts[nth]

    return at


def courses_of(found: Measurements, damaged: Callable[[Path, int, str], None]) -> dict[str, Course]:
    """Return what a run has measured by phase: the rows of logx, and what was found elsewhere."""
    records = found_records(found)
    if found.own is not None:
        for file in metric_files(RunDir(found.look.path)):
            records += rows(file.read_bytes(), partial(damaged, file))
    return courses(records)


def found_records(found: Measurements) -> list[Record]:
    """Return what a run's script measured without logx."""
    files = {metrics_of(row.phase): row.phase for row in found.left.rows}
    return [record for phase in files.values() for record in rows(found.left.content(phase))]


def metric_files(run: RunDir) -> list[Path]:
    """Return the files that hold a run's metrics: metrics.csv, metrics.train.csv, ..."""
    return sorted(run.path.glob("metrics*.csv"))


def thinned(course: Course, most: int = MOST) -> Course:
    """Return a course with at most ``most`` points, its first and last among them.

    >>> thinned(Course([0, 1, 2, 3, 4], [0.0] * 5, {"a": [1, 2, 3, 4, 5]}), 3).metrics
    {'a': [1, 3, 5]}
    """
    step = math.ceil(len(course.epochs) / most)
    if step <= 1:
        return course
    last = len(course.epochs) - 1
    places = sorted({*range(0, last, step), last})
    return Course(
        [course.epochs[at] for at in places],
        [course.seconds[at] for at in places],
        {name: [values[at] for at in places] for name, values in course.metrics.items()},
    )


def encoded(course: Course) -> dict[str, Any]:
    """Return a course as the page reads it: evenly spaced epochs as first, step and number.

    >>> encoded(Course([0, 1, 2], [0.0, 1.0, 2.0], {"a": [1.0, 2.0, 3.0]}))
    {'x': [0, 1, 3], 't': 'AAAAAAAAgD8AAABA', 'm': {'a': 'AACAPwAAAEAAAEBA'}}
    """
    return {
        "x": even(course.epochs) or packed(course.epochs),
        "t": packed(course.seconds),
        "m": {name: packed(values) for name, values in course.metrics.items()},
    }


def even(epochs: Sequence[float]) -> list[float] | None:
    """Return first, step and number of epochs that are evenly spaced, else None."""
    if not epochs:
        return None
    first = epochs[0]
    step = epochs[1] - first if len(epochs) > 1 else 1
    if any(epoch != first + step * nth for nth, epoch in enumerate(epochs)):
        return None
    return [first, step, len(epochs)]


def packed(values: Iterable[float]) -> str:
    """Return numbers as base64 of 32-bit floats, the lowest byte first."""
    floats = array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode("ascii")
