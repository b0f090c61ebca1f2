"""Saving behind the training's back: a copy in CPU memory, written by a thread."""

from __future__ import annotations

import copy
from collections.abc import Callable
from threading import Thread
from typing import Any


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
