"""Where measurements go, one file a destination; each is imported when it is first asked for.

A writer is any object with ``write(record)`` and ``close()``; ``flush()`` is called if it is there.
A writer that can't be used in a forked process leaves ``survives_fork`` out.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from runx.errors import LogxError
from runx.rundir.paths import RunDir
from runx.rundir.records import Record
from runx.tracking.context import RunInfo
from runx.tracking.notes import Notes

WRITERS = {
    "csv": "runx.tracking.writers.csv:Rows",
    "tensorboard": "runx.tracking.writers.tensorboard:TensorBoard",
    "wandb": "runx.tracking.writers.wandb:Wandb",
    "mlflow": "runx.tracking.writers.mlflow:Mlflow",
}
"""Where each destination lives: its module, and the class that takes a Destination."""


class Writer(Protocol):
    """What logx asks of a destination."""

    def write(self, record: Record) -> None:
        """Take one record; a phase of "" says that the names are whole as they are."""

    def close(self) -> None:
        """Finish; nothing is written after this."""


class Destination(Protocol):
    """What a writer can know of the run that it writes for; each is read when first asked for."""

    run: RunDir
    notes: Notes

    @property
    def info(self) -> RunInfo:
        """The run's name, experiment, tag and attempt."""

    @property
    def hparams(self) -> Mapping[str, Any]:
        """The run's hyperparameters."""


def open_writer(name: str, destination: Destination) -> Any:
    """Open the writer called so."""
    if name not in WRITERS:
        raise LogxError(f"writers: {name} is not known; there are {', '.join(WRITERS)}")
    module, _, kind = WRITERS[name].partition(":")
    return getattr(import_module(module), kind)(destination)
