"""A folder with a file of metrics, such as Keras' CSVLogger writes: a run of no known tool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.files import find
from runx.readers.measured import rows_beneath


def _is_run(folder: Path) -> bool:
    return next(find(str(folder), ("",), deepest=0), None) is not None


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    # What lies in folders below may be of other runs.
    yield FoundRun(folder.name, folder, {}, rows_beneath(folder, warn, deepest=0))


READER = DirReader("files", _is_run, _read, "a CSV, JSON lines or results.json", is_vague=True)
