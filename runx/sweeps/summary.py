"""A sweep seen from above, for its preview and for names: what varies, and what is dropped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from runx.sweeps.axes import INDEX, SKIP, TAG, Axis
from runx.sweeps.grid import Grid
from runx.sweeps.identity import canonical
from runx.sweeps.sweep import Sweep, combinations, skipping
from runx.sweeps.values import Hparam, Point

_ABSENT = ""


def names(sweep: Sweep) -> list[str]:
    """Name the hyperparameters and resources that some point has."""
    return list(dict.fromkeys(name for grid in sweep.grids for name in grid.names))


def varying(sweep: Sweep) -> list[str]:
    """Name those that are not the same in every combination."""
    sweep = sweep._replace(grids=tuple(grid for grid in sweep.grids if not _is_base(grid)))
    found = {name for name in names(sweep) if len(set(_values(sweep, name))) > 1}
    if sweep.size > 1:
        found.add(INDEX)
    computed = _computed(sweep)
    # A value that is worked out varies with what it is worked out from, however far away.
    for _ in computed:
        found |= {name for name, needs in computed.items() if needs & found}
    return [name for name in names(sweep) if name in found]


def skipped(sweep: Sweep) -> dict[str, int]:
    """Count the combinations that RUNX.SKIP drops, by the expression that drops them."""
    counted: dict[str, int] = {}
    for grid, found in zip(sweep.grids, combinations(sweep), strict=True):
        if not grid.skips and not any(SKIP in axis.names for axis in grid.axes):
            continue
        reason_of = skipping(grid)
        for reason in map(reason_of, found):
            if reason is not None:
                counted[reason] = counted.get(reason, 0) + 1
    return counted


class Shown(NamedTuple):
    """An axis as people read it: the parameters that it sets, and a text for each choice."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


def axes(sweep: Sweep) -> list[list[Shown]]:
    """Give the axes of each mapping that is no base for others, every choice as a text.

    >>> from runx.sweeps.sweep import read
    >>> from runx.sweeps.yaml import parse
    >>> document = parse("RUNX.ZIP: {a: [s, l], b: [64, 16]}\\nadam: [true, false]", "sweep.yml")
    >>> [axis.texts for axis in axes(read(document.tree, document.at))[0]]
    [('a=s b=64', 'a=l b=16'), ('true', 'false')]
    """
    return [
        [_shown(axis) for axis in grid.axes if not {TAG, SKIP} >= set(axis.names)]
        for grid in sweep.grids
        if not _is_base(grid)
    ]


def _shown(axis: Axis) -> Shown:
    names = tuple(name for name in axis.names if name not in (TAG, SKIP))
    told = [[given for given in choice if given.name in names] for choice in axis.choices]
    if names == axis.names and len(names) == 1:
        return Shown(names, tuple(shown(choice[0]) for choice in told))
    return Shown(names, tuple(" ".join(f"{h.name}={shown(h)}" for h in c) for c in told))


def repeats(points: Iterable[Point]) -> int:
    """Count the points that equal an earlier one: the same values, whatever their text or order.

    >>> from runx.sweeps.sweep import read
    >>> from runx.sweeps.yaml import parse
    >>> document = parse("lr: [1, 1.0, 2]", "sweep.yml")
    >>> repeats(read(document.tree, document.at).points())
    1
    """
    count = 0
    seen: set[frozenset[tuple[str, str]]] = set()
    for point in points:
        given = frozenset([_key(each) for each in point.hparams if each.value is not None])
        count += given in seen
        seen.add(given)
    return count


@lru_cache(maxsize=1 << 16)
def _key(hparam: Hparam) -> tuple[str, str]:
    import json  # not at start: a preview of the runs alone needs none

    return hparam.name, json.dumps(canonical(hparam.value))


def _is_base(grid: Grid) -> bool:
    """Tell whether a mapping is there for others to inherit from, and none of its points runs."""
    skips = [axis for axis in grid.axes if axis.names == (SKIP,)]
    return any(all(choice[0].value is True for choice in axis.choices) for axis in skips)


def _values(sweep: Sweep, name: str) -> Iterable[str]:
    """Give what a parameter is in all combinations, and what stands for it where it is absent."""
    for grid in sweep.grids:
        axis = next((axis for axis in grid.axes if name in axis.names), None)
        if axis is None:
            yield _ABSENT
            continue
        for choice in axis.choices:
            given = next((given for given in choice if given.name == name), None)
            yield _ABSENT if given is None or given.value is None else repr(given[1:])


def _computed(sweep: Sweep) -> dict[str, set[str]]:
    """Say for each value that is worked out what it is worked out from."""
    from runx.sweeps.templates import formulas

    needs: dict[str, set[str]] = {}
    for grid in sweep.grids:
        if grid.templated:
            for name, needed in formulas(grid, sweep.beside).needs.items():
                needs.setdefault(name, set()).update(needed)
    return needs


def shown(hparam: Hparam) -> str:
    """Write a value for people.

    >>> shown(Hparam("sizes", (1, 2), ("1", "2"))), shown(Hparam("adam", True, None))
    ('[1, 2]', 'true')
    """
    from runx.sweeps.scalars import spelled

    if isinstance(hparam.text, tuple):
        return "[" + ", ".join(hparam.text) + "]"
    return spelled(hparam.value) if hparam.text is None else hparam.text
