"""Writing checkpoint files: atomically, under two names, and in the background."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from runx.tracking.loading import import_torch


class Retention(NamedTuple):
    """Which checkpoints are kept: the last ``last``, and those of every ``every``th epoch.

    Without ``delete_old`` all are.
    """

    delete_old: bool = True
    last: int = 1
    every: int = 0


ONLY_LAST = Retention()


def write(content: Any, path: Path) -> None:
    """Write a checkpoint atomically: a temporary file beside it is renamed.

    Raises OSError where the disk is full or the folder can't be written to.
    """
    torch = import_torch()
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        # For a folder that can't be written to torch raises its own errors, Python an OSError.
        beside.touch()
        # ext4 flushes a file that is truncated and written again: torch creates it anew.
        beside.unlink()
        torch.save(content, beside)
        beside.replace(path)
    except RuntimeError as error:
        # So torch reports a full disk.
        if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
            raise
        raise OSError(f"torch can't write it: {str(error).splitlines()[0]}") from error
    finally:
        beside.unlink(missing_ok=True)


def link_as(path: Path, target: Path) -> None:
    """Link a file to a second name, atomically; copy it where there are no hard links."""
    from shutil import copyfile

    beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    try:
        os.link(path, beside)
    except OSError:
        copyfile(path, beside)
    beside.replace(target)


STILL_WRITTEN = 600.0
"""Seconds within which another step may still write a temporary file."""


def remove_partial(folder: Path, age: float = 0) -> None:
    """Remove the temporary files, of that age in seconds, that a killed attempt has left."""
    for path in folder.glob("*.pth.*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= age:
                path.unlink()


def snapshot(content: Any) -> Any:
    """Return a copy of a checkpoint's content with its tensors in CPU memory."""
    if isinstance(content, dict):
        # A shallow copy keeps the type and the _metadata of a state_dict.
        result = copy.copy(content)
        for key, value in content.items():
            result[key] = snapshot(value)
        return result
    if type(content) in (list, tuple):
        return type(content)(snapshot(value) for value in content)
    if hasattr(content, "detach") and hasattr(content, "device"):
        return content.detach().to("cpu", copy=True)
    return copy.deepcopy(content)


class BackgroundSave:
    """Runs one function at a time in a thread; Python waits for it at exit."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Run a function in the background; the previous one must have been waited for."""
        self._thread = Thread(target=self._run, args=(work,), name="logx-save")
        self._thread.start()

    def wait(self) -> None:
        """Wait for the function that is running, and raise its exception."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  It is raised by wait().
            self._error = error
