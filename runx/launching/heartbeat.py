"""Signs of life that a launcher gives of its runs, and orders that come from other machines."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from runx.disk.orders import is_called_off_elsewhere
from runx.launching.tasks import Task

BEAT = "RUNX_BEAT"
"""Names the seconds between beats, for tests."""


class Heartbeat:
    """Touches the beats of runs that go on, now and then: a short run never gets one."""

    def __init__(self) -> None:
        self._every = float(os.environ.get(BEAT) or 30)
        self._next = time.monotonic() + self._every

    def beat(self, tasks: Iterable[Task]) -> list[Task]:
        """Beat, if it is time; give those of the runs that were called off on another machine."""
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + self._every
        alive = list(tasks)
        for task in alive:
            with suppress(OSError):  # It is only a sign; whether the disk is full shows elsewhere.
                task.run.beat(task.attempt).touch()
        return [one for one in alive if is_called_off_elsewhere(one.run, one.attempt)]
