"""The nouns that floors pass to each other. Frozen, small, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.rundir.events import Attempt
    from runx.rundir.state import State
    from runx.sweeps.values import Point, Value


class Run(NamedTuple):
    """A point with a name and a place: one run, ready to stage."""

    name: str
    dir: RunDir
    point: Point

    @property
    def tag(self) -> str:
        """The tag that the run's name begins with, or an empty string."""
        return self.point.tag

    @property
    def hparams(self) -> dict[str, Value]:
        """The typed hyperparameters, LOGDIR symbolic."""
        return {hparam.name: hparam.value for hparam in self.point.hparams}


class RunRecord(NamedTuple):
    """A run as it is read back: what it is, its attempts and its state, and what it measured.

    ``metrics`` are those of the last validation epoch; ``measured`` maps what else was asked for
    (``acc-best``) to its value. Both are empty while there are none. ``hparams`` are as in
    hparams.json; ``epoch_time`` is in seconds; ``details`` has what else was asked for (``host``).
    ``resources`` are what it asked of its farm. ``attempts`` may be left out where nobody asked for
    them.
    """

    name: str
    dir: RunDir
    hparams: Mapping[str, Any]
    status: State
    metrics: Mapping[str, Any]
    epoch: int | float | None = None
    epoch_time: float | None = None
    experiment: str = ""
    measured: Mapping[str, Any] = {}
    details: Mapping[str, Any] = {}
    resources: Mapping[str, Any] = {}
    attempts: tuple[Attempt, ...] = ()

    @property
    def state(self) -> str:
        """The name of its state."""
        return self.status.name

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that decides its state, if it has begun any."""
        return next((one for one in self.attempts if one.number == self.status.attempt), None)

    @property
    def started(self) -> float | None:
        """The time at which that attempt started, in seconds since 1970."""
        return self._time_of("started")

    @property
    def ended(self) -> float | None:
        """The time at which that attempt wrote its end, in seconds since 1970."""
        return self._time_of("ended")

    def _time_of(self, name: str) -> float | None:
        event = self.attempt.event(name) if self.attempt else None
        return event.time if event else None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that that attempt took, or has taken until now."""
        begin, end = self.started, self.ended
        if end is None and self.status.alive:
            end = now
        return max(end - begin, 0.0) if begin is not None and end is not None else None

    @property
    def where(self) -> str | None:
        """The job and the machine that that attempt is on."""
        if self.attempt is None:
            return None
        job = f"{self.attempt.farm} {self.attempt.job_id}" if self.attempt.job_id else ""
        host = self.attempt.host if self.attempt.event("started") else ""
        return " on ".join(filter(None, (job, host))) or None
