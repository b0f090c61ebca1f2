"""A summary of a sweep, for its preview and for names: its axes, what varies, what is skipped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from runx.sweeps.axes import ABLATE, INDEX, SKIP, Axis
from runx.sweeps.grid import OWN, Grid
from runx.sweeps.identity import canonical
from runx.sweeps.sweep import Sweep, combinations, skip_reasons
from runx.sweeps.values import Hparam, Point

_ABSENT = ""


def names(sweep: Sweep) -> list[str]:
    """Return the names of the hyperparameters and resources that some point has."""
    return list(dict.fromkeys(name for grid in sweep.grids for name in grid.names))


def varying(sweep: Sweep) -> list[str]:
    """Return the names of those that are not the same in every combination."""
    sweep = sweep._replace(grids=tuple(grid for grid in sweep.grids if not is_base(grid)))
    varying = {name for name in names(sweep) if len(set(_values(sweep, name))) > 1}
    if sweep.size > 1:
        varying.add(INDEX)
    computed = _computed(sweep)
    # A computed value varies with what it is computed from, in as many steps as there are names.
    for _ in computed:
        varying |= {name for name, needs in computed.items() if needs & varying}
    return [name for name in names(sweep) if name in varying]


def skipped(sweep: Sweep) -> dict[str, int]:
    """Return how many combinations RUNX.SKIP drops, by the expression that drops them."""
    counts: dict[str, int] = {}
    for grid, combined in zip(sweep.grids, combinations(sweep), strict=True):
        if not grid.skips and not any(SKIP in axis.names for axis in grid.axes):
            continue
        for reason in map(skip_reasons(grid), combined):
            if reason is not None:
                counts[reason] = counts.get(reason, 0) + 1
    return counts


class ShownAxis(NamedTuple):
    """An axis as it is shown: the parameters that it sets, and a text for each choice."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


def axes(sweep: Sweep) -> list[list[ShownAxis]]:
    """Return the axes of each mapping that is no base for others, every choice as a text.

    >>> from runx.sweeps.sweep import read
    >>> from runx.sweeps.yaml import parse
    >>> document = parse("RUNX.ZIP: {a: [s, l], b: [64, 16]}\\nadam: [true, false]", "sweep.yml")
    >>> [axis.texts for axis in axes(read(document.tree, document.at))[0]]
    [('a=s b=64', 'a=l b=16'), ('true', 'false')]
    """
    return [
        [_shown_axis(axis) for axis in grid.axes if not set(OWN) >= set(axis.names)]
        for grid in sweep.grids
        if not is_base(grid)
    ]


def _shown_axis(axis: Axis) -> ShownAxis:
    names = tuple(name for name in axis.names if name not in OWN)
    choices = [[each for each in choice if each.name in names] for choice in axis.choices]
    if axis.key == ABLATE:
        baseline, *others = choices
        changes = ([each for each in choice if each not in baseline] for choice in others)
        choices = [baseline, *changes]
    if names == axis.names and len(names) == 1:
        return ShownAxis(names, tuple(shown(choice[0]) for choice in choices))
    texts = [" ".join(f"{each.name}={shown(each)}" for each in choice) for choice in choices]
    return ShownAxis(names, tuple(texts))


def repeats(points: Iterable[Point]) -> int:
    """Return how many points equal an earlier one: the same values, whatever their text or order.

    >>> from runx.sweeps.sweep import read
    >>> from runx.sweeps.yaml import parse
    >>> document = parse("lr: [1, 1.0, 2]", "sweep.yml")
    >>> repeats(read(document.tree, document.at).points())
    1
    """
    count = 0
    earlier: set[frozenset[tuple[str, str]]] = set()
    for point in points:
        values = frozenset([_key(hparam) for hparam in point.hparams if hparam.value is not None])
        count += values in earlier
        earlier.add(values)
    return count


@lru_cache(maxsize=1 << 16)
def _key(hparam: Hparam) -> tuple[str, str]:
    import json  # not at start: a preview of the runs alone needs none

    return hparam.name, json.dumps(canonical(hparam.value))


def is_base(grid: Grid) -> bool:
    """Return whether a mapping is only inherited from: RUNX.SKIP drops all of its points."""
    skips = [axis for axis in grid.axes if axis.names == (SKIP,)]
    return any(all(choice[0].value is True for choice in axis.choices) for axis in skips)


def _values(sweep: Sweep, name: str) -> Iterable[str]:
    """Yield what a parameter is in all combinations, and '' for those that lack it."""
    for grid in sweep.grids:
        axis = next((axis for axis in grid.axes if name in axis.names), None)
        if axis is None:
            yield _ABSENT
            continue
        for choice in axis.choices:
            hparam = next((each for each in choice if each.name == name), None)
            yield _ABSENT if hparam is None or hparam.value is None else repr(hparam[1:])


def _computed(sweep: Sweep) -> dict[str, set[str]]:
    """Return the names that each computed value is computed from."""
    from runx.sweeps.templates import templates_of

    needs: dict[str, set[str]] = {}
    for grid in sweep.grids:
        if grid.templated:
            for name, needed in templates_of(grid, sweep.context).needs.items():
                needs.setdefault(name, set()).update(needed)
    return needs


def shown(hparam: Hparam) -> str:
    """Return a value as it is shown to people.

    >>> shown(Hparam("sizes", (1, 2), ("1", "2"))), shown(Hparam("adam", True, None))
    ('[1, 2]', 'true')
    """
    from runx.sweeps.scalars import value_text

    if isinstance(hparam.text, tuple):
        return "[" + ", ".join(hparam.text) + "]"
    return value_text(hparam.value) if hparam.text is None else hparam.text
