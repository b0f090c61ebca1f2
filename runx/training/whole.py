"""Checkpoint files: written whole or not at all, and given a second name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runx.training.loading import needed_torch


def write(content: Any, path: Path) -> None:
    """Write a checkpoint that is seen whole or not at all: beside it, then renamed."""
    torch = needed_torch()
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        # torch has its own words for what is wrong with a place; Python's are OSErrors.
        beside.touch()
        # ext4 writes a file out at once if it is opened to be written over.
        beside.unlink()
        torch.save(content, beside)
        beside.replace(path)
    except RuntimeError as error:
        # torch's word for a disk that is full.
        if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
            raise
        raise OSError(f"torch can't write it: {str(error).splitlines()[0]}") from error
    finally:
        beside.unlink(missing_ok=True)


def second_name(path: Path, target: Path) -> None:
    """Give a file a second name, atomically; a copy where the file system has no hard links."""
    from shutil import copyfile

    beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    try:
        os.link(path, beside)
    except OSError:
        copyfile(path, beside)
    beside.replace(target)


def sweep(folder: Path) -> None:
    """Remove what a killed attempt left half written."""
    for path in folder.glob("*.pth.*.tmp"):
        path.unlink(missing_ok=True)
