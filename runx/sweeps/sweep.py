"""HPARAMS to points: the product of its axes, in the order of the file, the last key fastest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, product, repeat
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runx.errors import ExpressionError, SweepError
from runx.sweeps.axes import SKIP, Where
from runx.sweeps.grid import Beside, Grid, grid, has_templates
from runx.sweeps.tags import check_tags, is_reserved, split
from runx.types import Hparam, Node, Point

if TYPE_CHECKING:
    from runx.language.expressions import Expression

Combination: TypeAlias = tuple[Hparam, ...]

_NOTHING = Beside()


class Sweep(NamedTuple):
    """HPARAMS read: the grid of each of its mappings."""

    grids: tuple[Grid, ...]
    beside: Beside

    @property
    def size(self) -> int:
        """How many combinations there are, those that RUNX.SKIP drops included."""
        return sum(map(grid_size, self.grids))

    def points(self, tag: str = "") -> Iterator[Point]:
        """Give one point after another. ``tag`` is for those that name none.

        >>> from runx.language.yamltext import parse
        >>> document = parse("RUNX.TAG: 'run{lr}'\\nlr: [1, 2]", "sweep.yml")
        >>> [point.tag for point in read(document.tree, document.at).points()]
        ['run1', 'run2']
        """
        combined = zip(self.grids, combinations(self), strict=True)
        return chain.from_iterable([_points(each, found, tag) for each, found in combined])


def read(hparams: Node, at: Where, beside: Beside = _NOTHING) -> Sweep:
    """Read HPARAMS; what is wrong with it is found here, before there is a point.

    >>> from runx.language.yamltext import parse
    >>> document = parse("lr: [1, 2, 3]\\nopt: [sgd, adam]", "sweep.yml")
    >>> read(document.tree, document.at).size
    6
    """
    if isinstance(hparams, dict):
        grids = [grid(hparams, at, beside)]
    elif isinstance(hparams, list) and hparams:
        inherited = [_inherited(hparams, index, at) for index in range(len(hparams))]
        grids = [grid(mapping, where, beside) for mapping, where in inherited]
    else:
        raise SweepError(f"{at()}: HPARAMS is neither a mapping nor a list of mappings")
    for each in grids:
        check_tags(each)
        skipping(each)
    return Sweep(tuple(grids), beside)


def size(hparams: Node, at: Where, beside: Beside = _NOTHING) -> int:
    """Count the combinations of HPARAMS."""
    return read(hparams, at, beside).size


def points(hparams: Node, at: Where, tag: str = "", beside: Beside = _NOTHING) -> Iterator[Point]:
    """Give the points of HPARAMS one after another."""
    return read(hparams, at, beside).points(tag)


def combinations(sweep: Sweep) -> list[Iterable[Combination]]:
    """Give every combination of each grid's choices, its values worked out."""
    found, start = [], 0
    for each in sweep.grids:
        found.append(_combinations(each, sweep.beside, start))
        start += grid_size(each)
    return found


def grid_size(each: Grid) -> int:
    """Count the combinations of one grid."""
    return prod(len(axis.choices) for axis in each.axes)


def _inherited(hparams: list[Node], index: int, at: Where) -> tuple[Mapping[str, Node], Where]:
    """Lay a mapping over the first. RUNX.SKIP stays with the mapping that says it."""
    first, own = hparams[0], hparams[index]
    if not isinstance(own, dict) or not isinstance(first, dict):
        raise SweepError(f"{at(index)}: an item of HPARAMS is no mapping; write `- key: value`")
    base = {name: node for name, node in first.items() if index == 0 or name != SKIP}

    def at_item(*path: str | int) -> str:
        return at(index if not path or path[0] in own else 0, *path)

    return {**base, **own}, at_item


def _combinations(each: Grid, beside: Beside, start: int) -> Iterable[Combination]:
    """Give every combination of a grid's choices, its values worked out."""
    found: Iterable[Combination]
    if all(axis.names == (axis.key,) for axis in each.axes):
        found = product(*([choice for (choice,) in axis.choices] for axis in each.axes))
    else:
        choices = product(*(axis.choices for axis in each.axes))
        found = map(tuple, map(chain.from_iterable, choices))
    if not has_templates(each):
        return found
    from runx.language.formulas import formulas, worked_out

    return worked_out(formulas(each, beside), found, start)


def _points(each: Grid, found: Iterable[Combination], tag: str) -> Iterator[Point]:
    reserved = frozenset(name for axis in each.axes for name in axis.names if is_reserved(name))
    if not reserved and not each.skips:
        return map(Point, found, repeat(tag))
    reason_of = skipping(each)
    if not reserved:
        return (Point(one, tag) for one in found if reason_of(one) is None)
    return (
        split(combination, reserved, tag) for combination in found if reason_of(combination) is None
    )


def skipping(each: Grid) -> Callable[[Combination], str | None]:
    """Give a function that says what skips a combination, or None."""
    by_value = any(SKIP in axis.names for axis in each.axes)
    conditions = _conditions(each) if each.skips else []

    def reason_of(combination: Combination) -> str | None:
        if by_value and any(hparam.name == SKIP and hparam.value for hparam in combination):
            return "true"
        return _first(conditions, combination, each) if conditions else None

    return reason_of


def _conditions(each: Grid) -> list[Expression]:
    from runx.language.expressions import parse

    try:
        return [parse(text, each.names) for text in each.skips]
    except ExpressionError as error:
        raise SweepError(f"{each.at(SKIP)}: {SKIP}: {error}") from None


def _first(conditions: list[Expression], combination: Combination, each: Grid) -> str | None:
    values = {hparam.name: hparam.value for hparam in combination}
    try:
        return next((told.text for told in conditions if told.holds(values)), None)
    except ExpressionError as error:
        raise SweepError(f"{each.at(SKIP)}: {SKIP}: {error}") from None
