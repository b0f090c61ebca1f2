"""The values of a sweep: as YAML has them, as a script is given them, and a point of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

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
