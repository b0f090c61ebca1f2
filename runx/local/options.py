"""The options of a launch on this machine, and what the executor makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

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

    def given(self) -> dict[str, Any]:
        """Return those that are not as usual; one run at a time says nothing about a farm.

        >>> LocalOptions(jobs=1, retries=2).given()
        {'retries': 2}
        """
        usual = LocalOptions(jobs=self.jobs if self.jobs == 1 else None)._asdict()
        usual["is_fallback"] = self.is_fallback
        return {name: value for name, value in self._asdict().items() if value != usual[name]}


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
