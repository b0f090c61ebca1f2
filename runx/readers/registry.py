"""The readers of other tools' files and directories: a module each, and its entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from runx.errors import SettingsError
from runx.readers.base import DirReader, FileReader

FILES: dict[str, str] = {}
"""Each kind of file that a script leaves in its run, and where its FileReader is.

The first that recognises a file reads it: those that look at the content come last.
"""
DIRS: dict[str, str] = {
    "mlflow": "runx.readers.mlflow:READER",
    "wandb": "runx.readers.wandb:READER",
    "hydra": "runx.readers.hydra:READER",
    "mlxp": "runx.readers.mlxp:READER",
    "sacred": "runx.readers.sacred:READER",
    "guild": "runx.readers.guild:READER",
    "dvclive": "runx.readers.dvclive:READER",
    "lightning": "runx.readers.lightning:READER",
    "transformers": "runx.readers.huggingface_runs:READER",
    "tensorboard": "runx.readers.tensorboard_runs:READER",
    "files": "runx.readers.folder:READER",
}
"""Each tool, and where its DirReader is; the first that recognises a directory reads it."""


def file_readers() -> Iterator[FileReader]:
    """Return the readers of files: those of FILES, then those of entry points."""
    for reader in _readers(FILES):
        if isinstance(reader, FileReader):
            yield reader


def dir_readers() -> Iterator[DirReader]:
    """Return the readers of directories: those of DIRS, then those of entry points."""
    for reader in _readers(DIRS):
        if isinstance(reader, DirReader):
            yield reader


def _readers(table: dict[str, str]) -> Iterator[object]:
    for reference in table.values():
        module, _, name = reference.partition(":")
        yield getattr(import_module(module), name)
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
