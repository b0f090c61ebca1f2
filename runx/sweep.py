"""HPARAMS to points: the product of its axes, in the order of the file, the last key fastest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product, repeat
from math import prod

from runx.axes import RESOURCE, SKIP, TAG, Axis, Where, axes
from runx.errors import SweepError
from runx.nearest import remedy
from runx.types import Hparam, Node, Point, Scalar, Value

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SHELL = re.compile(r"\$\{?([A-Za-z_]\w*)|^~(?=/|$)")


def size(hparams: Node, at: Where) -> int:
    """Count the points of a sweep, those that RUNX.SKIP drops included.

    >>> from runx.yamltext import parse
    >>> document = parse("lr: [1, 2, 3]\\nopt: [sgd, adam]", "sweep.yml")
    >>> size(document.tree, document.at)
    6
    """
    return sum(prod(len(axis.choices) for axis in grid) for grid in _grids(hparams, at))


def points(hparams: Node, at: Where, tag: str = "") -> Iterator[Point]:
    """Give the points of a sweep one after another. ``tag`` is for those that name none.

    >>> from runx.yamltext import parse
    >>> document = parse("RUNX.TAG: 'run{lr}'\\nlr: [1, 2]", "sweep.yml")
    >>> [(point.tag, point.hparams[0].value) for point in points(document.tree, document.at)]
    [('run1', 1), ('run2', 2)]
    """
    walks = [_walk(grid, tag) for grid in _grids(hparams, at)]
    return chain.from_iterable(walks)


def warnings(hparams: Node, at: Where) -> list[str]:
    """Tell of values that look as if a shell would change them; none does.

    >>> warnings({"data": Scalar("$HOME/x", "$HOME/x")}, lambda *path: "sweep.yml:2")
    ['sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in']
    """
    return list(dict.fromkeys(_warned(hparams, at, (), "")))


def _grids(hparams: Node, at: Where) -> list[list[Axis]]:
    """Make the axes of each mapping; those of a list inherit from its first."""
    if isinstance(hparams, dict):
        grids = [axes(hparams, at)]
    elif isinstance(hparams, list) and hparams:
        grids = [axes(*_inherited(hparams, index, at)) for index in range(len(hparams))]
    else:
        raise SweepError(f"{at()}: HPARAMS is neither a mapping nor a list of mappings")
    for grid in grids:
        _check_tags(grid, at)
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


def _walk(grid: list[Axis], tag: str) -> Iterator[Point]:
    """Give the points of one grid."""
    combinations: Iterable[tuple[Hparam, ...]]
    combinations = map(_flat, product(*(axis.choices for axis in grid)))
    if all(len(axis.names) == 1 for axis in grid):
        combinations = product(*([choice for (choice,) in axis.choices] for axis in grid))
    reserved = frozenset(name for axis in grid for name in axis.names if _is_reserved(name))
    if not reserved:
        return map(Point, combinations, repeat(tag))
    return _kept(combinations, reserved, tag)


def _flat(choices: tuple[tuple[Hparam, ...], ...]) -> tuple[Hparam, ...]:
    return tuple(chain.from_iterable(choices))


def _kept(
    combinations: Iterable[tuple[Hparam, ...]], reserved: frozenset[str], tag: str
) -> Iterator[Point]:
    """Give the points that are not skipped, with what only runx reads taken out of them."""
    for combination in combinations:
        given = {hparam.name: hparam for hparam in combination}
        if SKIP in given and given[SKIP].value:
            continue
        yield Point(
            tuple([hparam for hparam in combination if hparam.name not in reserved]),
            _tag(given, tag) if TAG in given else tag,
            tuple([_resource(given[name]) for name in given if name.startswith(RESOURCE)]),
        )


def _is_reserved(name: str) -> bool:
    return name in (TAG, SKIP) or name.startswith(RESOURCE)


def _resource(hparam: Hparam) -> tuple[str, Value]:
    """Name a resource as farms do. A number keeps its text where that is spelt otherwise."""
    value = hparam.value
    if isinstance(hparam.text, str) and str(value) != hparam.text:
        value = hparam.text
    return hparam.name.removeprefix(RESOURCE).lower(), value


def _tag(given: Mapping[str, Hparam], default: str) -> str:
    template = given[TAG]
    if template.value is None:
        return default
    return _PLACEHOLDER.sub(lambda found: _filled(given[found[1]]), str(template.text))


def _filled(hparam: Hparam) -> str:
    """Give what stands for a parameter in a tag."""
    if isinstance(hparam.text, tuple):
        return "-".join(hparam.text)
    return str(hparam.value) if hparam.text is None else hparam.text


def _check_tags(grid: list[Axis], at: Where) -> None:
    known = [name for axis in grid for name in axis.names if name not in (TAG, SKIP)]
    for axis in grid:
        for hparam in chain.from_iterable(axis.choices):
            if hparam.name == TAG and isinstance(hparam.text, str):
                for name in _PLACEHOLDER.findall(hparam.text):
                    if name not in known:
                        told = remedy(name, known)
                        raise SweepError(f"{at(TAG)}: {{{name}}} is no hyperparameter: {told}")


def _warned(node: Node, at: Where, path: tuple[str | int, ...], name: str) -> Iterator[str]:
    if isinstance(node, Scalar):
        found = _SHELL.search(node.value) if isinstance(node.value, str) else None
        if found:
            variable = found[1] or "HOME"
            yield (
                f"{at(*path)}: {name}: {'$' + variable if found[1] else '~'} reaches the script"
                f" as written; {{{{ env.{variable} }}}} fills it in"
            )
        return
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in items:
        yield from _warned(child, at, (*path, key), name or (key if isinstance(key, str) else ""))
