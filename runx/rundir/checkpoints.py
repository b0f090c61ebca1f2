"""The checkpoints in a run's directory, by their file names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from runx.rundir.paths import RunDir

NAME = re.compile(r"(best|last)_checkpoint_ep(\d+)\.pth")


class Checkpoint(NamedTuple):
    """A checkpoint file; the greatest is the one to resume from."""

    epoch: int
    kind: str
    path: Path


def checkpoints_in(run: RunDir) -> list[Checkpoint]:
    """Return a run's checkpoints, in the order of their epochs."""
    if not run.path.is_dir():
        return []
    matches = [NAME.fullmatch(name) for name in os.listdir(run.path)]  # noqa: PTH208
    return sorted(
        Checkpoint(int(match[2]), match[1], run.path / match[0]) for match in matches if match
    )


def best_checkpoint(run: RunDir) -> Path | None:
    """Return the best checkpoint: where several are named so, the one of the highest epoch."""
    paths = [checkpoint.path for checkpoint in checkpoints_in(run) if checkpoint.kind == "best"]
    return paths[-1] if paths else None
