"""TensorBoard's event files read as rows of metrics, where a run has no metrics.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runx.rundir.records import encode
from runx.rundir.tensorboard import EventError, decoded, event_files, frames, scalar_of


def as_rows(folder: Path | str, phase: str, warn: Callable[[str], None]) -> bytes:
    """Write what a run's event files say of a phase as rows of metrics.csv.

    ``val/acc`` is acc of val, as logx writes it; a tag without a phase counts as one of val.
    """
    rows: dict[int, tuple[float, dict[str, Any]]] = {}
    first = None
    for file in event_files(folder):
        for time, step, tag, value in _scalars(file, warn):
            first = time if first is None else min(first, time)
            before, slash, name = tag.partition("/")
            own = before if slash and before in ("train", "val", "test") else ""
            if (own or "val") == phase:
                _, metrics = rows.get(step, (time, {}))
                rows[step] = (time, {**metrics, name if own else tag: value})
    lines = [encode("start", {"start/step": 0}, None, first)] if rows else []
    lines += [encode(phase, rows[step][1], step, rows[step][0]) for step in sorted(rows)]
    return "".join(lines).encode()


def _scalars(file: Path, warn: Callable[[str], None]) -> Iterator[tuple[float, int, str, float]]:
    """Give time, step, tag and value of every scalar; a torn end costs itself and a warning."""
    at = 0
    try:
        for event, end in frames(file.read_bytes()):
            time, step, values = decoded(event)
            for tag, number in filter(None, map(scalar_of, values)):
                yield time, step, tag, number
            at = end
    except EventError as error:
        warn(f"{file}: read up to byte {at}: {error}")
