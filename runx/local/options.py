"""The options of a launch on this machine, and what the executor makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from runx.rundir.handback import NO_RETRIES, Retries


class LocalOptions(NamedTuple):
    """The options by which runs are executed here; times are in seconds.

    ``jobs`` is how many run at once: None where it isn't given, 0 for auto. ``is_fallback``: runs
    are executed here because no farm is set, without -i. ``retries`` is None where RETRIES decides.
    """

    jobs: int | None = None
    gpus_per_run: int | None = None
    retries: int | None = None
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    stream: bool = False
    attach: bool = False
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How runs are executed here; times are in seconds.

    ``jobs`` is how many run at once. ``retries``: which failed runs are tried again, how often.
    After ``max_failures`` runs have failed for good nothing more is started. A run has ``grace``
    seconds between TERM and KILL. ``attach`` gives the terminal to the one run.
    """

    jobs: int = 1
    retries: Retries = NO_RETRIES
    timeout: float | None = None
    grace: float = 30.0
    max_failures: int | None = None
    attach: bool = False
