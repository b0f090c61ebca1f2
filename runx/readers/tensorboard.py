"""Metrics from TensorBoard's event files, for runs without a metrics.csv."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runx.rundir.paths import metrics_of
from runx.rundir.records import encode
from runx.rundir.tensorboard import EventError, decoded, event_files, frames, scalar_of


def as_rows(folder: Path | str, phase: str, warn: Callable[[str], None]) -> bytes:
    """Return the scalars in a run's event files, as rows of the metrics file that a phase has.

    The tag ``val/acc`` is the metric acc of val; a tag without a phase is one of val. A file whose
    events come after those of all earlier files is of another execution.
    """
    executions: list[dict[tuple[str, int], tuple[float, dict[str, Any]]]] = []
    starts: list[float] = []
    latest = -math.inf
    for file in event_files(folder):
        events = list(_scalars(file, warn))
        times = [time for time, *_ in events]
        if times and min(times) > latest:
            executions.append({})
            starts.append(min(times))
        latest = max([latest, *times])
        for time, step, tag, value in events:
            prefix, slash, name = tag.partition("/")
            has_phase = bool(slash) and prefix in ("train", "val", "test")
            key = (prefix if has_phase else "val", step)
            _, metrics = executions[-1].get(key, (time, {}))
            executions[-1][key] = (time, {**metrics, name if has_phase else tag: value})
    return "".join(
        line
        for start, rows in zip(starts, executions, strict=True)
        for line in _lines(start, rows, metrics_of(phase))
    ).encode()


def _lines(
    start: float, rows: dict[tuple[str, int], tuple[float, dict[str, Any]]], file: str
) -> Iterator[str]:
    """Yield the rows of an execution that belong into a metrics file, by their steps."""
    own = [key for key in rows if metrics_of(key[0]) == file]
    if own:
        yield encode("start", {"start/step": 0}, None, start)
    for phase, step in sorted(own, key=lambda key: key[1]):
        time, metrics = rows[phase, step]
        yield encode(phase, metrics, step, time)


def _scalars(file: Path, warn: Callable[[str], None]) -> Iterator[tuple[float, int, str, float]]:
    """Yield time, step, tag and value of each scalar; a cut-off end is left out with a warning."""
    read = 0
    try:
        for event, end in frames(file.read_bytes()):
            time, step, values = decoded(event)
            for tag, number in filter(None, map(scalar_of, values)):
                yield time, step, tag, number
            read = end
    except EventError as error:
        warn(f"{file}: read up to byte {read}: {error}")
