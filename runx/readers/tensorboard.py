"""Metrics from TensorBoard's event files, for runs without a metrics.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runx.rundir.records import encode
from runx.rundir.tensorboard import EventError, decoded, event_files, frames, scalar_of


def as_rows(folder: Path | str, phase: str, warn: Callable[[str], None]) -> bytes:
    """Return the scalars of a phase in a run's event files, as rows of metrics.csv.

    The tag ``val/acc`` is the metric acc of val; a tag without a phase is one of val.
    """
    rows: dict[int, tuple[float, dict[str, Any]]] = {}
    first = None
    for file in event_files(folder):
        for time, step, tag, value in _scalars(file, warn):
            first = time if first is None else min(first, time)
            prefix, slash, name = tag.partition("/")
            has_phase = bool(slash) and prefix in ("train", "val", "test")
            if (prefix if has_phase else "val") == phase:
                _, metrics = rows.get(step, (time, {}))
                rows[step] = (time, {**metrics, name if has_phase else tag: value})
    lines = [encode("start", {"start/step": 0}, None, first)] if rows else []
    lines += [encode(phase, rows[step][1], step, rows[step][0]) for step in sorted(rows)]
    return "".join(lines).encode()


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
