"""A folder with a file of metrics, such as Keras' CSVLogger writes: a run of no known tool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.beneath import rows_beneath
from runx.readers.files import find


def _is_run(folder: Path) -> bool:
    files = find(str(folder), ("",), lambda name: True, lambda name: None, deepest=0)
    return next(files, None) is not None


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    # What lies in folders below may be of other runs.
    yield FoundRun(folder.name, folder, {}, rows_beneath(folder, warn, deepest=0))


READER = DirReader("files", _is_run, _read, "a CSV, JSON lines or results.json", is_vague=True)
