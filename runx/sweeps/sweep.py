"""HPARAMS to points: the product of its axes, in the order of the file, the last key fastest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, product, repeat
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runx.errors import ExpressionError, SweepError
from runx.sweeps.axes import SKIP, TAG, Where
from runx.sweeps.grid import Beside, Grid, check_tags, grid, split
from runx.sweeps.values import Hparam, Node, Point, Scalar

if TYPE_CHECKING:
    from runx.sweeps.expressions import Expression


Combination: TypeAlias = tuple[Hparam, ...]


_NOTHING = Beside()


class Sweep(NamedTuple):
    """HPARAMS read: the grid of each of its mappings."""

    grids: tuple[Grid, ...]
    beside: Beside

    @property
    def size(self) -> int:
        """How many combinations there are, those that RUNX.SKIP drops included."""
        return sum([each.size for each in self.grids])

    def points(self, tag: str = "") -> Iterator[Point]:
        """Yield one point after another. ``tag`` is for those that name none.

        >>> from runx.sweeps.yaml import parse
        >>> document = parse("RUNX.TAG: 'run{lr}'\\nlr: [1, 2]", "sweep.yml")
        >>> [point.tag for point in read(document.tree, document.at).points()]
        ['run1', 'run2']
        """
        for each, combined in zip(self.grids, combinations(self), strict=True):
            if each.skips or SKIP in each.reserved:
                reason_of = skipping(each)
                combined = (choice for choice in combined if reason_of(choice) is None)
            if each.reserved:
                yield from (split(choice, each.reserved, tag) for choice in combined)
            else:
                yield from map(Point, combined, repeat(tag))


def read(hparams: Node, at: Where, beside: Beside = _NOTHING) -> Sweep:
    """Read HPARAMS; what is wrong with it is found here, before there is a point.

    >>> from runx.sweeps.yaml import parse
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
        if TAG in each.reserved:
            check_tags(each)
        if each.skips:
            skipping(each)
    return Sweep(tuple(grids), beside)


def size(hparams: Node, at: Where, beside: Beside = _NOTHING) -> int:
    """Count the combinations of HPARAMS."""
    return read(hparams, at, beside).size


def points(hparams: Node, at: Where, tag: str = "", beside: Beside = _NOTHING) -> Iterator[Point]:
    """Give the points of HPARAMS one after another."""
    return read(hparams, at, beside).points(tag)


def combinations(sweep: Sweep) -> list[Iterable[Combination]]:
    """Return every combination of each grid's choices, its values worked out."""
    combined: list[Iterable[Combination]] = []
    start = 0
    for each in sweep.grids:
        choices: Iterable[Combination]
        if all(axis.names == (axis.key,) for axis in each.axes):
            choices = product(*([choice for (choice,) in axis.choices] for axis in each.axes))
        else:
            choices = map(_flat, product(*(axis.choices for axis in each.axes)))
        if each.templated:
            from runx.sweeps.templates import formulas, worked_out

            choices = worked_out(formulas(each, sweep.beside), choices, start)
        combined.append(choices)
        start += each.size
    return combined


def _flat(choices: Iterable[Combination]) -> Combination:
    return tuple(chain.from_iterable(choices))


def _inherited(hparams: list[Node], index: int, at: Where) -> tuple[Mapping[str, Node], Where]:
    """Lay a mapping over the first. RUNX.SKIP stays with the mapping that says it."""
    first, own = hparams[0], hparams[index]
    if not isinstance(own, dict) or not isinstance(first, dict):
        raise SweepError(f"{at(index)}: an item of HPARAMS is no mapping; write `- key: value`")
    base = {name: node for name, node in first.items() if index == 0 or name != SKIP}

    def at_item(*path: str | int) -> str:
        return at(index if not path or path[0] in own else 0, *path)

    return {**base, **own}, at_item


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
    from runx.sweeps.expressions import parse

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


_SHELL = re.compile(r"\$\{?([A-Za-z_]\w*)|^~(?=/|$)")


_FLEETING = re.compile(r"\{\{[^}]*\b(env\.\w+|run\.index|experiment\.name)\b")


def cautions(hparams: Node, at: Where) -> list[str]:
    """Tell of values that look as if a shell would change them, and of what isn't always the same.

    >>> cautions({"data": Scalar("$HOME/x", "$HOME/x")}, lambda *path: "sweep.yml:2")
    ['sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in']
    """
    return list(dict.fromkeys(_of(hparams, at, (), "")))


def _of(node: Node, at: Where, path: tuple[str | int, ...], name: str) -> Iterator[str]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield from (f"{at(*path)}: {name}: {told}" for told in _told(node.value))
        return
    for key, child in node.items() if isinstance(node, dict) else enumerate(node):
        inner = key if isinstance(key, str) and (not name or name.startswith("RUNX.")) else name
        yield from _of(child, at, (*path, key), inner)


def _told(text: str) -> Iterator[str]:
    found = _SHELL.search(text)
    if found:
        variable = found[1] or "HOME"
        seen = f"${variable}" if found[1] else "~"
        yield f"{seen} reaches the script as written; {{{{ env.{variable} }}}} fills it in"
    fleeting = _FLEETING.search(text)
    if fleeting:
        name = fleeting[1]
        yield f"{name} enters what identifies the run; --resume knows it by the same value alone"
