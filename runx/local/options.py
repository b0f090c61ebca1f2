"""How the runs of a launch are executed on this machine."""

from __future__ import annotations

from typing import NamedTuple


class LocalOptions(NamedTuple):
    """What was asked for; times are in seconds.

    ``jobs`` is None where nothing was said, 0 for auto. ``is_fallback``: runs are executed here
    because no farm is set, not because somebody asked for it.
    """

    jobs: int | None = None
    gpus_per_run: int | None = None
    retries: int = 0
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    stream: bool = False
    attach: bool = False
    is_fallback: bool = False
