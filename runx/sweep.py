"""HPARAMS to points: the product of its axes, in the order of the file, the last key fastest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, product, repeat
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runx.axes import SKIP, Axis, Where
from runx.errors import ExpressionError, SweepError
from runx.grid import Beside, Grid, grid, has_templates
from runx.tags import check_tags, is_reserved, split
from runx.types import Hparam, Node, Point

if TYPE_CHECKING:
    from runx.expressions import Expression

Combination: TypeAlias = tuple[Hparam, ...]

_NOTHING = Beside()


class Survey(NamedTuple):
    """A sweep as its preview shows it: its axes, how many combinations, and what dropped some."""

    grids: tuple[tuple[Axis, ...], ...]
    combinations: int
    skipped: Mapping[str, int]


def size(hparams: Node, at: Where, beside: Beside = _NOTHING) -> int:
    """Count the points of a sweep, those that RUNX.SKIP drops included.

    >>> from runx.yamltext import parse
    >>> document = parse("lr: [1, 2, 3]\\nopt: [sgd, adam]", "sweep.yml")
    >>> size(document.tree, document.at)
    6
    """
    return sum(map(_size, _grids(hparams, at, beside)))


def points(hparams: Node, at: Where, tag: str = "", beside: Beside = _NOTHING) -> Iterator[Point]:
    """Give the points of a sweep one after another. ``tag`` is for those that name none.

    >>> from runx.yamltext import parse
    >>> document = parse("RUNX.TAG: 'run{lr}'\\nlr: [1, 2]", "sweep.yml")
    >>> [(point.tag, point.hparams[0].value) for point in points(document.tree, document.at)]
    [('run1', 1), ('run2', 2)]
    """
    walks, start = [], 0
    for each in _grids(hparams, at, beside):
        walks.append(_points(each, _combinations(each, beside, start), tag))
        start += _size(each)
    return chain.from_iterable(walks)


def survey(hparams: Node, at: Where, beside: Beside = _NOTHING) -> Survey:
    """Count what a sweep has and what it drops, for a preview.

    >>> from runx.yamltext import parse
    >>> document = parse("RUNX.SKIP: lr > 1\\nlr: [1, 2, 3]", "sweep.yml")
    >>> survey(document.tree, document.at).skipped
    {'lr > 1': 2}
    """
    grids, start = _grids(hparams, at, beside), 0
    skipped: dict[str, int] = {}
    for each in grids:
        reason_of = _skipping(each)
        for combination in _combinations(each, beside, start):
            reason = reason_of(combination)
            if reason is not None:
                skipped[reason] = skipped.get(reason, 0) + 1
        start += _size(each)
    return Survey(tuple(tuple(each.axes) for each in grids), start, skipped)


def _grids(hparams: Node, at: Where, beside: Beside) -> list[Grid]:
    """Make the grid of each mapping; those of a list inherit from its first."""
    if isinstance(hparams, dict):
        grids = [grid(hparams, at, beside)]
    elif isinstance(hparams, list) and hparams:
        inherited = [_inherited(hparams, index, at) for index in range(len(hparams))]
        grids = [grid(mapping, where, beside) for mapping, where in inherited]
    else:
        raise SweepError(f"{at()}: HPARAMS is neither a mapping nor a list of mappings")
    for each in grids:
        check_tags(each)
        _skipping(each)
    return grids


def _inherited(hparams: list[Node], index: int, at: Where) -> tuple[Mapping[str, Node], Where]:
    """Lay a mapping over the first. RUNX.SKIP stays with the mapping that says it."""
    first, own = hparams[0], hparams[index]
    if not isinstance(own, dict) or not isinstance(first, dict):
        raise SweepError(f"{at(index)}: an item of HPARAMS is no mapping; write `- key: value`")
    base = {name: node for name, node in first.items() if index == 0 or name != SKIP}

    def at_item(*path: str | int) -> str:
        return at(index if not path or path[0] in own else 0, *path)

    return {**base, **own}, at_item


def _size(each: Grid) -> int:
    return prod(len(axis.choices) for axis in each.axes)


def _combinations(each: Grid, beside: Beside, start: int) -> Iterable[Combination]:
    """Give every combination of a grid's choices, its values worked out."""
    combinations: Iterable[Combination]
    if all(len(axis.names) == 1 for axis in each.axes):
        combinations = product(*([choice for (choice,) in axis.choices] for axis in each.axes))
    else:
        choices = product(*(axis.choices for axis in each.axes))
        combinations = map(tuple, map(chain.from_iterable, choices))
    if not has_templates(each):
        return combinations
    from runx.formulas import formulas, worked_out

    return worked_out(formulas(each, beside), combinations, start)


def _points(each: Grid, combinations: Iterable[Combination], tag: str) -> Iterator[Point]:
    reserved = frozenset(name for axis in each.axes for name in axis.names if is_reserved(name))
    if not reserved and not each.skips:
        return map(Point, combinations, repeat(tag))
    reason_of = _skipping(each)
    return (
        split(combination, reserved, tag)
        for combination in combinations
        if reason_of(combination) is None
    )


def _skipping(each: Grid) -> Callable[[Combination], str | None]:
    """Give a function that says what skips a combination, or None."""
    by_value = any(SKIP in axis.names for axis in each.axes)
    conditions = _conditions(each) if each.skips else []

    def reason_of(combination: Combination) -> str | None:
        if by_value and any(hparam.name == SKIP and hparam.value for hparam in combination):
            return "true"
        return _first(conditions, combination, each) if conditions else None

    return reason_of


def _conditions(each: Grid) -> list[Expression]:
    from runx.expressions import parse

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
