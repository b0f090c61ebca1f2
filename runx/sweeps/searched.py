"""The keys of HPARAMS that a search chooses, and the point that a choice makes of a run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runx.sweeps.axes import CASES, Locator, hparam
from runx.sweeps.grid import SweepContext
from runx.sweeps.identity import is_same
from runx.sweeps.merge import keys, several_cases
from runx.sweeps.operators import DRAWS
from runx.sweeps.scalars import value_text
from runx.sweeps.sweep import points
from runx.sweeps.values import Node, Point, Scalar, Value


def is_searched(name: str, node: Node) -> bool:
    """Return whether a key of HPARAMS is chosen by a search: a range or the like, or cases."""
    return name == CASES or (
        isinstance(node, dict) and len(node) == 1 and next(iter(node)) in DRAWS
    )


def is_repeated(node: Node) -> bool:
    """Return whether a key of HPARAMS is a seed, of which a point is run with each."""
    return isinstance(node, dict) and list(node) == ["repeat"]


def chosen(hparams: Mapping[str, Node]) -> dict[str, Node]:
    """Return the keys of a mapping of HPARAMS that a search chooses.

    >>> one = Scalar(1, "1")
    >>> chosen({"lr": {"uniform": [one, one]}, "seed": {"repeat": one}, "b": one}).keys()
    dict_keys(['lr'])
    """
    return {name: node for name, node in hparams.items() if is_searched(name, node)}


def range_text(node: Node) -> str:
    """Return what a search chooses of as YAML has it.

    >>> range_text({"uniform": [Scalar(0, "0"), Scalar(0.1, "1e-1")]})
    'uniform: [0, 1e-1]'
    """
    if isinstance(node, dict):
        return ", ".join(f"{name}: {_range_text(each)}" for name, each in node.items())
    return _range_text(node)


def _range_text(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return f"[{', '.join(map(_range_text, node))}]"
    return f"{{{range_text(node)}}}"


def bound(hparams: Mapping[str, Node], values: Mapping[str, Value]) -> dict[str, Node]:
    """Return a mapping of HPARAMS with the values of a point in the place of what was chosen.

    What is written in the file keeps its text.

    >>> ranged = {"lr": {"choice": [Scalar(0.001, "1e-3"), Scalar(0.1, "0.1")]}}
    >>> bound(ranged, {"lr": 0.001})
    {'lr': [Scalar(value=0.001, text='1e-3', plain=True)]}
    """
    result: dict[str, Node] = {}
    for name, node in hparams.items():
        if not is_searched(name, node):
            result[name] = node
            continue
        own = keys(node) if name == CASES else [name]
        for each in (each for each in values if each in own):
            options = _options({name: node} if name == each else node, each)
            result[each] = [_with_text(values[each], options)]
    return result


def bound_point(
    hparams: Mapping[str, Node],
    at: Locator,
    context: SweepContext,
    values: Mapping[str, Value],
    fixed: Mapping[str, Value],
) -> Point | None:
    """Return the point of a run: its fixed values, those that were chosen, and what is computed.

    None where RUNX.SKIP drops it.

    >>> tree = {"lr": {"uniform": [Scalar(0, "0"), Scalar(1, "1")]}, "seed": [Scalar(3, "3")]}
    >>> point = bound_point(tree, str, SweepContext(), {"lr": 0.5}, {"seed": 3})
    >>> {each.name: each.text for each in point.hparams}
    {'lr': '0.5', 'seed': '3'}
    """
    for point in points(bound(hparams, values), at, context=context):
        own = {each.name: each.value for each in point.hparams}
        if all(is_same(own.get(name), value) for name, value in fixed.items()):
            return point
    return None


def _with_text(value: Value, options: Iterator[Node]) -> Node:
    """Return a value as it is written among some options, or as runx writes it."""
    for option in options:
        if not isinstance(option, dict) and is_same(hparam("", option, str).value, value):
            return option
    return node_of_value(value)


def node_of_value(value: Value) -> Node:
    """Return a value as YAML has it."""
    if isinstance(value, (list, tuple)):
        return [node_of_value(item) for item in value]
    if isinstance(value, str):
        return Scalar(value, value, plain=False)
    return Scalar(value, value_text(value))


def _options(hparams: Node, name: str) -> Iterator[Node]:
    """Yield the values that are written for a key, in cases and cases of cases too."""
    if isinstance(hparams, list):
        for item in hparams:
            yield from _options(item, name)
    elif isinstance(hparams, dict):
        for key, node in hparams.items():
            if key == CASES:
                for cases in several_cases(node):
                    yield from _options(cases, name)
            elif key == name:
                written = next(iter(node.values())) if isinstance(node, dict) else node
                yield from written if isinstance(written, list) else [written]
