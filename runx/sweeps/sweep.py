"""HPARAMS to points: the product of its axes in the order of the file, the last key fastest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product, repeat
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runx.errors import ExpressionError, SweepError
from runx.sweeps.axes import GROUPS, SKIP, TAG, Locator
from runx.sweeps.foreign import text_advice
from runx.sweeps.grid import Grid, SweepContext, flat, grid_of
from runx.sweeps.merge import keys
from runx.sweeps.points import check_tags, point_of
from runx.sweeps.values import Hparam, Node, Point, Scalar

if TYPE_CHECKING:
    from runx.sweeps.expressions import Expression


Combination: TypeAlias = tuple[Hparam, ...]
"""A choice of each axis of a grid."""

_DEFAULTS = SweepContext()

_SHELL = re.compile(r"\$\{?([A-Za-z_]\w*)|^~(?=/|$)")
"""What a shell would change: a variable, or ``~`` at the beginning."""

_FLEETING = re.compile(r"\{\{[^}]*\b(env\.\w+|run\.index|experiment\.name)\b")
"""A computed value that depends on where or how the launch is made."""


class Sweep(NamedTuple):
    """The sweep that HPARAMS describes: a grid for each of its mappings."""

    grids: tuple[Grid, ...]
    context: SweepContext

    @property
    def size(self) -> int:
        """The number of combinations, those that RUNX.SKIP drops included."""
        return sum([grid.size for grid in self.grids])

    def points(self, tag: str = "") -> Iterator[Point]:
        """Yield the points. ``tag`` is for those that set none.

        >>> from runx.sweeps.yaml import parse
        >>> document = parse("RUNX.TAG: 'run{lr}'\\nlr: [1, 2]", "sweep.yml")
        >>> [point.tag for point in read(document.tree, document.at).points()]
        ['run1', 'run2']
        """
        for grid, combined in zip(self.grids, combinations(self), strict=True):
            if grid.skips or SKIP in grid.reserved:
                reason_of = skip_reasons(grid)
                combined = (choice for choice in combined if reason_of(choice) is None)
            if grid.reserved:
                yield from (point_of(choice, grid.reserved, tag) for choice in combined)
            else:
                yield from map(Point, combined, repeat(tag))


def read(hparams: Node, at: Locator, context: SweepContext = _DEFAULTS) -> Sweep:
    """Return the sweep of HPARAMS. ``at`` gives the place of its keys, for errors.

    Raises:
        SweepError: HPARAMS is no sweep; expressions alone may still fail, for a point.

    >>> from runx.sweeps.yaml import parse
    >>> document = parse("lr: [1, 2, 3]\\nopt: [sgd, adam]", "sweep.yml")
    >>> read(document.tree, document.at).size
    6
    """
    return sweep_of(mappings(hparams, at), context)


def mappings(hparams: Node, at: Locator) -> list[tuple[Mapping[str, Node], Locator]]:
    """Return the mappings of HPARAMS, each with what it inherits, and where its keys stand."""
    if isinstance(hparams, dict):
        return [(hparams, at)]
    if isinstance(hparams, list) and hparams:
        return [_inherited(hparams, index, at) for index in range(len(hparams))]
    raise SweepError(f"{at()}: HPARAMS is neither a mapping nor a list of mappings")


def sweep_of(parts: Iterable[tuple[Mapping[str, Node], Locator]], context: SweepContext) -> Sweep:
    """Return the sweep of mappings, each with the places of its keys."""
    grids = [grid_of(mapping, where, context) for mapping, where in parts]
    for grid in grids:
        if TAG in grid.reserved:
            check_tags(grid)
        if grid.skips:
            skip_reasons(grid)
    return Sweep(tuple(grids), context)


def points(
    hparams: Node, at: Locator, tag: str = "", context: SweepContext = _DEFAULTS
) -> Iterator[Point]:
    """Return the points of HPARAMS, made one after another."""
    return read(hparams, at, context).points(tag)


def combinations(sweep: Sweep) -> list[Iterable[Combination]]:
    """Return the combinations of each grid, their values computed."""
    combined: list[Iterable[Combination]] = []
    start = 0
    for grid in sweep.grids:
        choices: Iterable[Combination]
        if all(axis.names == (axis.key,) for axis in grid.axes):
            choices = product(*([choice for (choice,) in axis.choices] for axis in grid.axes))
        else:
            choices = map(flat, product(*(axis.choices for axis in grid.axes)))
        if grid.templated:
            from runx.sweeps.templates import computed, templates_of

            choices = computed(templates_of(grid, sweep.context), choices, start)
        combined.append(choices)
        start += grid.size
    return combined


def _inherited(hparams: list[Node], index: int, at: Locator) -> tuple[Mapping[str, Node], Locator]:
    """Return a mapping over the first one, but for its RUNX.SKIP, and where its keys stand."""
    first, own = hparams[0], hparams[index]
    if not isinstance(own, dict) or not isinstance(first, dict):
        raise SweepError(f"{at(index)}: an item of HPARAMS is no mapping; write `- key: value`")
    groups = {name: node for name, node in own.items() if name in GROUPS}
    replaced = {SKIP, *keys(groups)} if index else ()
    base = {name: node for name, node in first.items() if name not in replaced}

    def at_item(*path: str | int) -> str:
        return at(index if not path or path[0] in own else 0, *path)

    return {**base, **own}, at_item


def skip_reasons(grid: Grid) -> Callable[[Combination], str | None]:
    """Return a function from a combination to the expression that skips it, or None."""
    by_value = any(SKIP in axis.names for axis in grid.axes)
    conditions = _conditions(grid) if grid.skips else []

    def reason_of(combination: Combination) -> str | None:
        if by_value and any(hparam.name == SKIP and hparam.value for hparam in combination):
            return "true"
        return _first(conditions, combination, grid) if conditions else None

    return reason_of


def _conditions(grid: Grid) -> list[Expression]:
    from runx.sweeps.expressions import parse

    try:
        return [parse(text, grid.names) for text in grid.skips]
    except ExpressionError as error:
        raise SweepError(f"{grid.at(SKIP)}: {SKIP}: {error}") from None


def _first(conditions: list[Expression], combination: Combination, grid: Grid) -> str | None:
    values = {hparam.name: hparam.value for hparam in combination}
    try:
        return next((each.text for each in conditions if each.holds(values)), None)
    except ExpressionError as error:
        raise SweepError(f"{grid.at(SKIP)}: {SKIP}: {error}") from None


def cautions(hparams: Node, at: Locator, defaults: Mapping[str, Node] = {}) -> list[str]:
    """Return warnings of values that a shell would change, and of those that may differ later.

    ``defaults`` are values that mean what they mean to the script.

    >>> cautions({"data": Scalar("$HOME/x", "$HOME/x")}, lambda *path: "sweep.yml:2")
    ['sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in']
    """
    literal = frozenset(map(id, defaults.values()))
    return list(dict.fromkeys(_cautions(hparams, at, (), "", literal)))


def _cautions(
    node: Node, at: Locator, path: tuple[str | int, ...], name: str, literal: frozenset[int]
) -> Iterator[str]:
    """Yield the warnings of a node at a path; ``name`` is the hyperparameter that it belongs to."""
    if id(node) in literal:
        return
    if not isinstance(node, Scalar):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            is_name = isinstance(key, str) and (not name or name.startswith("RUNX."))
            yield from _cautions(child, at, (*path, key), str(key) if is_name else name, literal)
    elif isinstance(node.value, str):
        if advice := text_advice(node):
            yield f"{at(*path)}: {name}: {node.text} {advice}"
        if match := _SHELL.search(node.value):
            variable = match[1] or "HOME"
            written = f"${variable}" if match[1] else "~"
            yield (
                f"{at(*path)}: {name}: {written} reaches the script as written;"
                f" {{{{ env.{variable} }}}} fills it in"
            )
        if match := _FLEETING.search(node.value):
            yield (
                f"{at(*path)}: {name}: {match[1]} enters what identifies the run;"
                " --resume knows it by the same value alone"
            )
