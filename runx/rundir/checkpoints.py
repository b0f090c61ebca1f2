"""Which checkpoints there are in a run's directory, and which of them is the best."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from runx.rundir.paths import RunDir

NAME = re.compile(r"(best|last)_checkpoint_ep(\d+)\.pth")


class Found(NamedTuple):
    """A checkpoint on disk; the greatest is the one to go on from."""

    epoch: int
    kind: str
    path: Path


def checkpoints_in(run: RunDir) -> list[Found]:
    """List a run's checkpoints, in the order of their epochs."""
    if not run.path.is_dir():
        return []
    matches = [NAME.fullmatch(name) for name in os.listdir(run.path)]  # noqa: PTH208
    return sorted(Found(int(m[2]), m[1], run.path / m[0]) for m in matches if m)


def best(run: RunDir) -> Path | None:
    """Find the checkpoint that is considered best: of several, the one of the highest epoch."""
    names = [checkpoint.path for checkpoint in checkpoints_in(run) if checkpoint.kind == "best"]
    return names[-1] if names else None
