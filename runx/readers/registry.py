"""The readers of other tools' files and directories: a module each, and its entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module

from runx.errors import SettingsError
from runx.readers.base import DirReader, FileReader

FILES: dict[str, str] = {
    "logx": "runx.readers.logxlog:READER",
    "CSV": "runx.readers.csvlog:READER",
    "trainer_state.json": "runx.readers.huggingface:READER",
    "JSON lines": "runx.readers.jsonlog:LINES_READER",
    "TensorBoard": "runx.readers.tensorboard:READER",
    "JSON": "runx.readers.jsonlog:RESULTS_READER",
}
"""Each kind of file that a script leaves in its run, and where its FileReader is.

The first that recognises a file reads it. Where several files have a metric, it is taken from the
kind that stands first.
"""


@lru_cache(maxsize=1)
def file_readers() -> tuple[FileReader, ...]:
    """Return the readers of files: those of FILES, then those of entry points."""
    readers = (*own_readers(FILES), *installed_readers())
    return tuple(reader for reader in readers if isinstance(reader, FileReader))


def own_readers(table: dict[str, str]) -> Iterator[object]:
    """Yield the readers that a table names."""
    for reference in table.values():
        module, _, name = reference.partition(":")
        yield getattr(import_module(module), name)


def installed_readers() -> Iterator[object]:
    """Yield the readers that other packages have installed."""
    from importlib.metadata import entry_points

    for point in entry_points(group="runx.readers"):
        yield _loaded(point.load, f"{point.name} ({point.value})")


def _loaded(load: Callable[[], object], name: str) -> object:
    """Return what an entry point names; raises SettingsError where that is no reader."""
    try:
        reader = load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"runx.readers: {name}: {error}; uninstall or mend it") from None
    if not isinstance(reader, (FileReader, DirReader)):
        raise SettingsError(f"runx.readers: {name} is no FileReader or DirReader of readers.base")
    return reader
