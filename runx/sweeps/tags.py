"""What a point holds for runx alone, RUNX.TAG and resources, told apart from hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runx.errors import SweepError
from runx.language.nearest import remedy
from runx.sweeps.axes import RESOURCE, TAG
from runx.sweeps.grid import Grid
from runx.sweeps.values import Hparam, Point, Value

# {{ }} is a worked-out value, see templates.
_PLACEHOLDER = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def split(combination: tuple[Hparam, ...], reserved: frozenset[str], tag: str) -> Point:
    """Make a point of a combination, taking out of it what only runx reads.

    >>> split((Hparam("lr", 1, "1"), Hparam("RUNX.TAG", "r{lr}", "r{lr}")), frozenset([TAG]), "")
    Point(hparams=(Hparam(name='lr', value=1, text='1'),), tag='r1', resources=())
    """
    given = {hparam.name: hparam for hparam in combination}
    return Point(
        tuple([hparam for hparam in combination if hparam.name not in reserved]),
        _tag(given, tag) if TAG in given else tag,
        tuple([_resource(given[name]) for name in given if name.startswith(RESOURCE)]),
    )


def check_tags(grid: Grid) -> None:
    """Refuse a tag with a ``{name}`` that no point has."""
    for axis in grid.axes:
        if TAG not in axis.names:
            continue
        tags = [hparam for choice in axis.choices for hparam in choice if hparam.name == TAG]
        for name in [name for tag in tags for name in _PLACEHOLDER.findall(str(tag.text))]:
            if name not in grid.names:
                told = remedy(name, grid.names)
                raise SweepError(f"{grid.at(axis.key)}: {{{name}}} is no hyperparameter: {told}")


def _tag(given: Mapping[str, Hparam], default: str) -> str:
    template = given[TAG]
    if template.value is None:
        return default
    return _PLACEHOLDER.sub(lambda found: _shown(given.get(found[1])), str(template.text))


def _shown(hparam: Hparam | None) -> str:
    """Give what stands for a parameter in a tag."""
    if hparam is None:
        return "None"
    if isinstance(hparam.text, tuple):
        return "-".join(hparam.text)
    return str(hparam.value) if hparam.text is None else hparam.text


def _resource(hparam: Hparam) -> tuple[str, Value]:
    """Name a resource as farms do. A number keeps its text where that is spelt otherwise."""
    value = hparam.value
    if isinstance(hparam.text, str) and str(value) != hparam.text:
        value = hparam.text
    return hparam.name.removeprefix(RESOURCE).lower(), value
