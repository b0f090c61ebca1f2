"""The readers of other tools' directories: a module each, and its entry here."""

from __future__ import annotations

from functools import cache

from runx.readers.base import DirReader
from runx.readers.registry import installed_readers, own_readers

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


@cache
def dir_readers() -> tuple[DirReader, ...]:
    """Return the readers of directories: those of entry points, then those of DIRS.

    What somebody has added is closer to the mark, and the vague ones come last.
    """
    readers = (*installed_readers(), *own_readers(DIRS))
    return tuple(reader for reader in readers if isinstance(reader, DirReader))
