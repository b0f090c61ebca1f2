"""The nouns that floors pass to each other. Frozen, small, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from runx.rundir import RunDir

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
