"""The values of a sweep: YAML scalars, hyperparameters, and points of several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"
"""The typed value of a hyperparameter: YAML 1.2's scalars, and lists of them as tuples."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: its value, and its text in the file.

    ``plain`` is true of an unquoted scalar, the only kind that can be other than a string.
    """

    value: bool | int | float | str | None
    text: str
    plain: bool = True


Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
"""A YAML tree whose scalars keep their text."""


class Hparam(NamedTuple):
    """A hyperparameter with one value: typed, and as the text that a script is given.

    ``text`` is the value's text, a tuple of texts for a list, or None where it has none
    (a flag, or a parameter left out). ``LOGDIR`` stays symbolic in both. ``is_default`` is true of
    what stands in the script's own file (CONFIG) and which nothing changes.
    """

    name: str
    value: Value
    text: str | tuple[str, ...] | None
    is_default: bool = False


class Ablation(NamedTuple):
    """What a point changes of the baseline of its RUNX.ABLATE: one hyperparameter, "" for none."""

    changed: str
    baseline: tuple[tuple[str, Value], ...]


class Trial(NamedTuple):
    """One point of a search, by its number from 1 on; each of its seeds is a run."""

    search: str
    number: int


class Point(NamedTuple):
    """One combination of a sweep: what the script is given, and its tag and resources, for runx.

    That of a ``trial`` has the fixed values alone until its run binds the others.
    """

    hparams: tuple[Hparam, ...]
    tag: str = ""
    resources: tuple[tuple[str, Value], ...] = ()
    ablation: Ablation | None = None
    trial: Trial | None = None
