"""The checkpoints in a run's directory, by their file names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from runx.rundir.paths import RunDir

NAME = re.compile(r"(best|last)_checkpoint_ep(-?\d+(?:\.\d+)?)\.pth")


class Checkpoint(NamedTuple):
    """A checkpoint file; the greatest is the one to resume from."""

    epoch: int | float
    kind: str
    path: Path


def epoch_of(name: str) -> int | float | None:
    """Return the epoch in the name of a checkpoint, None in other names.

    >>> epoch_of("last_checkpoint_ep3.pth"), epoch_of("best_checkpoint_ep1.5.pth"), epoch_of("a")
    (3, 1.5, None)
    """
    match = NAME.fullmatch(name)
    if match is None:
        return None
    return float(match[2]) if "." in match[2] else int(match[2])


def checkpoints_in(run: RunDir) -> list[Checkpoint]:
    """Return a run's checkpoints, in the order of their epochs."""
    if not run.path.is_dir():
        return []
    return sorted(
        Checkpoint(epoch, name.partition("_")[0], run.path / name)
        for name in os.listdir(run.path)  # noqa: PTH208
        if (epoch := epoch_of(name)) is not None
    )


def best_checkpoint(run: RunDir) -> Path | None:
    """Return the best checkpoint: where several are named so, the one of the highest epoch."""
    paths = [checkpoint.path for checkpoint in checkpoints_in(run) if checkpoint.kind == "best"]
    return paths[-1] if paths else None
