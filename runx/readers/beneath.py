"""Metrics of a run of another tool from the files that lie in its folder."""

from __future__ import annotations

from pathlib import Path

from runx.readers.base import Row, Warn
from runx.readers.files import find
from runx.readers.measured import combined, read_files


def rows_beneath(
    folder: Path, warn: Warn, inside: tuple[str, ...] = ("",), deepest: int | None = None
) -> list[Row]:
    """Return the rows of the files below a folder, or below some that are ``inside`` of it."""
    run = str(folder)
    bound = {} if deepest is None else {"deepest": deepest}
    files = list(find(run, inside, lambda name: True, lambda name: None, **bound))
    return list(combined(read_files(run, files, warn)).rows)
