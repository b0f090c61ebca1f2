"""A run as it is planned (Run) and as it is read from its directory (RunRecord)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.rundir.paths import RunDir

if TYPE_CHECKING:
    from runx.rundir.events import Attempt
    from runx.rundir.state import State
    from runx.rundir.steps import Predecessor, Step, When
    from runx.sweeps.values import Point, Trial, Value


OWN_TOOL = "runx"
"""The tool of runs that runx launched, or logx or NVIDIA's runx recorded."""


class Run(NamedTuple):
    """One run of a plan: a point of a sweep with a name and a directory; or a step of it.

    A step's ``name`` is its path below the experiment; ``after`` are the steps that it waits for.
    """

    name: str
    dir: RunDir
    point: Point
    step: Step | None = None
    after: tuple[Predecessor, ...] = ()

    @property
    def tag(self) -> str:
        """The tag that the run's name begins with, or an empty string."""
        return self.point.tag

    @property
    def hparams(self) -> dict[str, Value]:
        """The hyperparameters by name, with LOGDIR not replaced."""
        return {hparam.name: hparam.value for hparam in self.point.hparams}


class StepRecord(NamedTuple):
    """A step of a run as it is read: what it is after, its state, and its attempts.

    Shared steps that a run waits for aren't its own.
    """

    name: str
    dir: RunDir
    after: Mapping[str, When]
    is_own: bool
    status: State
    attempts: tuple[Attempt, ...] = ()

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that the attempt took, or has taken, that its state comes from."""
        return _elapsed(self.attempts, self.status, now)


def _elapsed(attempts: Iterable[Attempt], status: State, now: float) -> float | None:
    """Return the seconds that the attempt of a state took, or has taken until now."""
    attempt = next((each for each in attempts if each.number == status.attempt), None)
    start, end = (attempt.event(name) if attempt else None for name in ("started", "ended"))
    until = end.time if end else now if status.alive else None
    if start is None or start.time is None or until is None:
        return None
    return max(until - start.time, 0.0)


class RunRecord(NamedTuple):
    """A run as it is read from its directory: hyperparameters, state, metrics and attempts.

    ``metrics``: those of the last validation epoch. ``measured``: other metrics that were asked
    for, such as ``acc-best``. ``details``: other columns that were asked for, such as ``host``.
    ``hparams``: by their dotted names. ``epoch_time``: in seconds. ``resources``: those requested
    of its farm. ``attempts``: may be left out where they aren't needed. ``tool``: what wrote it.
    ``code``: the digest of its last attempt's. ``tag`` and ``labels``: as it was launched.
    ``ablation``: what it ``changed`` of a ``baseline``, where it is of an ablation.
    ``sources``: the files of metrics that logx didn't write, as ``train.loss`` names them.
    ``project``: where its code comes from, read where codes are compared alone. ``steps``: those
    that it needs, in order; ``step`` is the one that its state and its ``attempts`` are of.
    ``trial``: the point of a search that it is a run of.
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
    tool: str = OWN_TOOL
    code: str = ""
    tag: str = ""
    labels: tuple[str, ...] = ()
    ablation: Mapping[str, Any] = {}
    sources: Mapping[str, str] = {}
    project: str = ""
    steps: tuple[StepRecord, ...] = ()
    step: str = ""
    trial: Trial | None = None

    @property
    def place(self) -> RunDir:
        """The directory that its state comes from: its own, or that of one of its steps."""
        return self.dir.step(self.step) if self.step else self.dir

    @property
    def state(self) -> str:
        """The name of its state."""
        return self.status.name

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that its state comes from, if there is any."""
        return next((each for each in self.attempts if each.number == self.status.attempt), None)

    @property
    def started(self) -> float | None:
        """When that attempt started, in seconds since 1970."""
        return self._time_of("started")

    @property
    def ended(self) -> float | None:
        """When that attempt ended, in seconds since 1970."""
        return self._time_of("ended")

    def _time_of(self, name: str) -> float | None:
        event = self.attempt.event(name) if self.attempt else None
        return event.time if event else None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that that attempt took, or has taken until now.

        Of a run with steps it is all that its own steps took.
        """
        each = (step.elapsed(now) for step in self.steps if step.is_own)
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) if known else _elapsed(self.attempts, self.status, now)

    @property
    def where(self) -> str | None:
        """The job and the host of that attempt, as ``FARM ID on HOST``."""
        if self.attempt is None:
            return None
        job = f"{self.attempt.farm} {self.attempt.job_id}" if self.attempt.job_id else ""
        host = self.attempt.host if self.attempt.event("started") else ""
        return " on ".join(filter(None, (job, host))) or None
