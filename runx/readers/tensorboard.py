"""TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import FileReader, Row, Warn
from runx.readers.shaping import measurement, rows_of
from runx.rundir.tensorboard import EventError, decoded, frames, scalar_of


def recognise(path: str) -> bool:
    """Return whether a file is one of TensorBoard's, by its name."""
    return "tfevents" in path.rpartition("/")[2]


def read(path: str, warn: Warn) -> list[Row]:
    """Return the scalars of an event file, a row for each phase and step."""
    steps: dict[int, tuple[float, dict[str, float]]] = {}
    for time, step, tag, value in _scalars(path, warn):
        first, values = steps.setdefault(step, (time, {}))
        values[tag] = value
        steps[step] = (first, values)
    return rows_of(
        [
            measurement(values)._replace(step=step, time=time)
            for step, (time, values) in sorted(steps.items())
        ]
    )


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
