"""TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import FileReader, Row, Warn
from runx.readers.shaping import rows_by_step
from runx.rundir.tensorboard import EventError, decoded, frames, scalar_of


def recognise(path: str) -> bool:
    """Return whether a file is one of TensorBoard's, by its name."""
    return "tfevents" in path.rpartition("/")[2]


def read(path: str, warn: Warn) -> list[Row]:
    """Return the scalars of an event file, a row for each phase and step."""
    steps: dict[float, dict[str, float]] = {}
    times: dict[float, float | None] = {}
    for time, step, tag, value in _scalars(path, warn):
        times.setdefault(step, time)
        steps.setdefault(step, {})[tag] = value
    return rows_by_step(steps, times)


def _scalars(path: str, warn: Warn) -> Iterator[tuple[float, int, str, float]]:
    """Yield time, step, tag and value of each scalar; a cut-off end is left out with a warning."""
    end = 0
    try:
        for event, after in frames(Path(path).read_bytes()):
            time, step, values = decoded(event)
            for tag, number in filter(None, map(scalar_of, values)):
                yield time, step, tag, number
            end = after
    except EventError as error:
        warn(f"{path}: read up to byte {end}: {error}")


READER = FileReader("TensorBoard", recognise, read)
