"""The nouns that floors pass to each other. Frozen, small, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from runx.rundir import RunDir

if TYPE_CHECKING:
    from runx.states.attempts import Attempt
    from runx.states.state import State

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"
"""The typed value of a hyperparameter: YAML 1.2's scalars, and lists of them as tuples."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: what it means, and the text it has in the file.

    ``plain`` is true of an unquoted scalar, the only kind that can be other than a string.
    """

    value: bool | int | float | str | None
    text: str
    plain: bool = True


Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
"""A YAML document whose scalars have kept their text."""


class Hparam(NamedTuple):
    """One hyperparameter with one value: typed, and as the words a script is given.

    ``text`` is the value's text, a tuple of texts for a list, or None where it has none
    (a flag, or a parameter left out). ``LOGDIR`` stays symbolic in both.
    """

    name: str
    value: Value
    text: str | tuple[str, ...] | None


class Point(NamedTuple):
    """One combination of a sweep: what the script is given, and what only runx reads."""

    hparams: tuple[Hparam, ...]
    tag: str = ""
    resources: tuple[tuple[str, Value], ...] = ()


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


@dataclass(frozen=True, slots=True)
class Submission:
    """The exact command that hands a run to a farm: its words, and its environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    stdin: str = ""


class Job(NamedTuple):
    """Where a run went: the farm that took it, its id there and the farm's own answer."""

    run: Run
    farm: str
    id: str
    answer: str


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
