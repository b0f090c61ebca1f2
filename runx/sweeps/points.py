"""Combinations of a grid as points: their tags, resources and what they change in an ablation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runx.errors import SweepError
from runx.nearest import suggestion
from runx.sweeps.axes import ABLATE, RESOURCE, TAG
from runx.sweeps.grid import Grid
from runx.sweeps.values import Ablation, Hparam, Point, Value

# {{ }} is a computed value, see templates.
_PLACEHOLDER = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def point_of(combination: tuple[Hparam, ...], reserved: frozenset[str], tag: str) -> Point:
    """Return a combination as a point; what only runx reads becomes its tag and resources.

    >>> lr, tag = Hparam("lr", 1, "1"), Hparam("RUNX.TAG", "r{lr}", "r{lr}")
    >>> point_of((lr, tag), frozenset([TAG]), "").tag
    'r1'
    """
    by_name = {hparam.name: hparam for hparam in combination}
    return Point(
        tuple([hparam for hparam in combination if hparam.name not in reserved]),
        _tag(by_name, tag) if TAG in by_name else tag,
        tuple([_resource(by_name[name]) for name in by_name if name.startswith(RESOURCE)]),
        _ablation_of(by_name[ABLATE].value) if ABLATE in by_name else None,
    )


def _ablation_of(value: Any) -> Ablation:
    return Ablation(value[0], value[1:])


def check_tags(grid: Grid) -> None:
    """Raise if a tag has a ``{name}`` that no point has."""
    for axis in grid.axes:
        if TAG not in axis.names:
            continue
        tags = [hparam for choice in axis.choices for hparam in choice if hparam.name == TAG]
        for name in [name for tag in tags for name in placeholders(str(tag.text))]:
            if name not in grid.names:
                hint = suggestion(name, grid.names)
                raise SweepError(f"{grid.at(axis.key)}: {{{name}}} is no hyperparameter: {hint}")


def placeholders(text: str) -> list[str]:
    """Return the names that stand in braces in a text.

    >>> placeholders("{arch}-{lr}-{{ lr / 10 }}")
    ['arch', 'lr']
    """
    return _PLACEHOLDER.findall(text)


def _tag(by_name: Mapping[str, Hparam], default: str) -> str:
    template = by_name[TAG]
    if template.value is None:
        return default
    return _PLACEHOLDER.sub(lambda match: _text(by_name.get(match[1])), str(template.text))


def _text(hparam: Hparam | None) -> str:
    """Return the text of a parameter in a tag."""
    if hparam is None:
        return "None"
    if isinstance(hparam.text, tuple):
        return "-".join(hparam.text)
    return str(hparam.value) if hparam.text is None else hparam.text


def _resource(hparam: Hparam) -> tuple[str, Value]:
    """Return a resource by the name that farms use. A number spelt otherwise keeps its text."""
    value = hparam.value
    if isinstance(hparam.text, str) and str(value) != hparam.text:
        value = hparam.text
    return hparam.name.removeprefix(RESOURCE).lower(), value
