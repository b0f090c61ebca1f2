"""Checkpoint files: written whole or not at all, and given a second name."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from runx.tracking.loading import needed_torch


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


def snapshot(content: Any) -> Any:
    """Copy what a checkpoint holds, its tensors into CPU memory, so that training can go on."""
    if isinstance(content, dict):
        # Copied first: a state_dict keeps its type and its _metadata.
        twin = copy.copy(content)
        for key, value in content.items():
            twin[key] = snapshot(value)
        return twin
    if type(content) in (list, tuple):
        return type(content)(snapshot(value) for value in content)
    if hasattr(content, "detach") and hasattr(content, "device"):
        return content.detach().to("cpu", copy=True)
    return copy.deepcopy(content)


class Saver:
    """Runs one piece of work at a time in the background; Python waits for it at exit."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Begin this work; what came before is finished."""
        self._thread = Thread(target=self._run, args=(work,), name="logx-save")
        self._thread.start()

    def wait(self) -> None:
        """Wait for the work that is under way, and raise what it raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  It is raised where it is waited for.
            self._error = error
