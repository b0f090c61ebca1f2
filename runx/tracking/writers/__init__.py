"""The writers of metrics, a module each, imported when first used.

A writer is an object with ``write(record)``, ``close()`` and, optionally, ``flush()``. One with an
attribute ``survives_fork`` is used in forked processes, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from runx.errors import LogxError
from runx.rundir.paths import RunDir
from runx.rundir.records import Record
from runx.tracking.info import RunInfo
from runx.tracking.notes import Notes

WRITERS = {
    "csv": "runx.tracking.writers.csv:Rows",
    "tensorboard": "runx.tracking.writers.tensorboard:TensorBoard",
    "wandb": "runx.tracking.writers.wandb:Wandb",
    "mlflow": "runx.tracking.writers.mlflow:Mlflow",
    "trackio": "runx.tracking.writers.trackio:Trackio",
}
"""For each writer its module and class; the class takes a Destination."""
LOCAL = ("csv", "tensorboard")
"""Those that write to the run's directory and to nothing else."""


class Writer(Protocol):
    """The methods that logx calls."""

    def write(self, record: Record) -> None:
        """Write a record; where its phase is "", the metrics' names include their phases."""

    def close(self) -> None:
        """Finish; no record follows."""


class Destination(Protocol):
    """The run that a writer writes for; ``place`` is where its files go."""

    run: RunDir
    place: RunDir
    notes: Notes

    @property
    def info(self) -> RunInfo:
        """The run's name, experiment, tag and attempt."""

    @property
    def hparams(self) -> Mapping[str, Any]:
        """The run's hyperparameters."""


def open_writer(name: str, destination: Destination) -> Any:
    """Return a new writer; raises LogxError where there is none of that name."""
    if name not in WRITERS:
        raise LogxError(f"writers: {name} is not known; there are {', '.join(WRITERS)}")
    module, _, class_name = WRITERS[name].partition(":")
    return getattr(import_module(module), class_name)(destination)
