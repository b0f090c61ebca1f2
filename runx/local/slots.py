"""How many runs a launcher here executes at a time, where a person changes that meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runx.errors import SettingsError, StoreError
from runx.local.capacity import Capacity
from runx.rundir.files import read_json

_LOOK = 1.0  # seconds between two looks at the order


def ordered_slots(file: Path) -> int | None:
    """Return the number that ``runx slots`` has written for a launcher, None where it has none."""
    try:
        number = read_json(file).get("jobs")
    except StoreError:
        return None
    return number if isinstance(number, int) and number >= 0 else None


@dataclass(slots=True)
class Slots:
    """The slots of a launcher, by the file of what ``runx slots`` asks for.

    ``capacity`` returns what this machine has for so many runs at a time, and raises SettingsError
    where it has less than one needs.
    """

    file: Path | None
    capacity: Callable[[int], Capacity]
    say: Callable[[str], None]
    _latest: int | None = None
    _next: float = 0.0

    def changed(self) -> Capacity | None:
        """Return what runs get from now on, once after each change, else None."""
        if self.file is None or time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + _LOOK
        number = ordered_slots(self.file)
        if number is None or number == self._latest:
            return None
        self._latest = number
        try:
            capacity = self.capacity(max(number, 1))
        except SettingsError as error:
            self.say(f"runx slots {number}: {error}")
            return None
        capacity = capacity if number else capacity._replace(jobs=0)
        least = "; what runs goes on" if capacity.jobs == 0 else ""
        self.say(f"runx slots: {capacity.jobs} at a time from now on{least}")
        return capacity
