"""What a launch leaves to whoever executes its runs."""

from __future__ import annotations

from typing import NamedTuple

from runx.types import Run


class Handover(NamedTuple):
    """A run whose directory is made, and which of its attempts is to be executed."""

    run: Run
    attempt: int
