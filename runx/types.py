"""The nouns that floors pass to each other. Frozen, small, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.rundir import RunDir

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Result:
    """A run as it is read back: what it is, how it stands, and what it measured.

    ``metrics`` are those of the last validation epoch; ``measured`` maps what else was asked for
    (``acc-best``) to its value. Both are empty while there are none. ``hparams`` are as in
    hparams.json; ``epoch_time`` is in seconds; ``details`` has what else was asked for (``host``).
    ``resources`` are what it asked of its farm.
    """

    name: str
    dir: RunDir
    hparams: Mapping[str, Any]
    state: str
    metrics: Mapping[str, Any]
    epoch: int | float | None = None
    epoch_time: float | None = None
    tag: str = ""
    experiment: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
