"""The axes of a sweep: for each key of HPARAMS the values that it takes, one Hparam for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from runx.errors import SweepError
from runx.nearest import remedy
from runx.operators import OPERATORS
from runx.types import Hparam, Node, Scalar, Value

Where: TypeAlias = Callable[..., str]
"""Says where a key stands: ``at("lr", 0)`` is ``sweep.yml:7``; see ``yamltext.Document.at``."""

TAG, SKIP = "RUNX.TAG", "RUNX.SKIP"
RESOURCE = "SUBMIT_JOB."
"""What begins the name of a resource, which the script is not given."""


class Axis(NamedTuple):
    """Choices of which every point takes one. A choice sets one or more parameters."""

    names: tuple[str, ...]
    choices: Sequence[tuple[Hparam, ...]]


def axes(hparams: Mapping[str, Node], at: Where) -> list[Axis]:
    """Make the axes of one mapping of HPARAMS.

    >>> from runx.yamltext import parse
    >>> document = parse("lr: [0.1, 1e-3]\\nadam: true", "sweep.yml")
    >>> [len(axis.choices) for axis in axes(document.tree, document.at)]
    [2, 1]
    """
    return [_axis(name, node, at) for name, node in hparams.items()]


def hparam(name: str, node: Node, where: str) -> Hparam:
    """Make a hyperparameter of a value; a list is one value.

    >>> hparam("lr", Scalar(0.001, "1e-3"), "sweep.yml:1")
    Hparam(name='lr', value=0.001, text='1e-3')
    >>> hparam("sizes", [Scalar(1, "1"), Scalar(2, "2")], "sweep.yml:1")
    Hparam(name='sizes', value=(1, 2), text=('1', '2'))
    """
    if isinstance(node, list):
        value = _values(name, node, where)
        return Hparam(name, value, tuple(_text(item) for item in node))
    if isinstance(node, dict):
        raise SweepError(f"{where}: {name}: a value can't be a mapping; see docs/sweeps.md")
    if "\0" in node.text:
        raise SweepError(f"{where}: {name} holds a NUL, which no command line can; remove it")
    if node.value is None or (node.plain and node.text == "None"):
        return Hparam(name, None, None)
    return Hparam(name, node.value, None if isinstance(node.value, bool) else node.text)


def _axis(name: str, node: Node, at: Where) -> Axis:
    _check_name(name, at)
    items, spots = _items(name, node, at)
    if not items:
        raise SweepError(f"{at(name)}: {name} has no values; give it one, or remove it")
    made = [(hparam(name, item, at(*spot)),) for item, spot in zip(items, spots, strict=True)]
    return Axis((name,), made)


def _items(name: str, node: Node, at: Where) -> tuple[list[Node], Sequence[tuple[str | int, ...]]]:
    """Give the values of a key, and the place of each."""
    if isinstance(node, list):
        return node, [(name, index) for index in range(len(node))]
    if isinstance(node, Scalar):
        return [node], [(name,)]
    items = _operated(name, node, at)
    return items, [(name,)] * len(items)


def _operated(name: str, node: dict[str, Node], at: Where) -> list[Node]:
    """Apply the operator that a mapping names."""
    known = [key for key in node if key in OPERATORS]
    if len(node) == 1 and known:
        return OPERATORS[known[0]](node[known[0]])
    if known:
        others = ", ".join(key for key in node if key != known[0])
        raise SweepError(f"{at(name)}: {name}: {known[0]} stands alone; remove {others}")
    first = next(iter(node), "")
    if len(node) == 1 and isinstance(node[first], list):
        raise SweepError(
            f"{at(name)}: {name}: {first} is no operator ({remedy(first, OPERATORS)});"
            f" a nested parameter is written with a dot: {name}.{first}"
        )
    dotted = ", ".join(f"{name}.{key}" for key in _leaves(node))
    raise SweepError(
        f"{at(name)}: {name}: nested parameters are written with dots: {dotted or name + '.key'}"
    )


def _leaves(node: dict[str, Node]) -> list[str]:
    found = []
    for key, child in node.items():
        inner = _leaves(child) if isinstance(child, dict) else []
        found += [f"{key}.{leaf}" for leaf in inner] or [key]
    return found


def _check_name(name: str, at: Where) -> None:
    if name.startswith("RUNX.") and name not in (TAG, SKIP):
        raise SweepError(f"{at(name)}: {name} is unknown: {remedy(name, (TAG, SKIP))}")
    if name.rstrip(".") == RESOURCE.rstrip(".") or "\0" in name:
        raise SweepError(f"{at(name)}: {name!r} names nothing; write SUBMIT_JOB.NODES or the like")


def _values(name: str, items: list[Node], where: str) -> tuple[Value, ...]:
    return tuple(
        _values(name, item, where) if isinstance(item, list) else hparam(name, item, where).value
        for item in items
    )


def _text(node: Node) -> str:
    """Give the text of an item of a list; a list in it is written in YAML's flow style."""
    if isinstance(node, list):
        return "[" + ",".join(map(_text, node)) + "]"
    assert not isinstance(node, dict)
    return node.text or ("" if isinstance(node.value, str) else "null")
