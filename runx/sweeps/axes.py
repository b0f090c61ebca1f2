"""The axes of a sweep: for each key of HPARAMS the values that it takes, one Hparam for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from runx.errors import SweepError
from runx.nearest import remedy
from runx.sweeps.operators import DRAWS, OPERATORS
from runx.sweeps.values import Hparam, Node, Scalar

Where: TypeAlias = Callable[..., str]
"""Says where a key stands: ``at("lr", 0)`` is ``sweep.yml:7``; see ``yamltext.Document.at``."""


TAG, SKIP, ZIP, CASES = "RUNX.TAG", "RUNX.SKIP", "RUNX.ZIP", "RUNX.CASES"


INDEX = "run.index"
"""The place of a combination in its sweep, which a worked-out value may name."""


RESOURCE = "SUBMIT_JOB."
"""What begins the name of a resource, which the script is not given."""


class Axis(NamedTuple):
    """Choices of which every point takes one. A choice sets one or more parameters.

    ``key`` is the key of HPARAMS that says so, ``names`` are all that any choice sets.
    """

    key: str
    names: tuple[str, ...]
    choices: Sequence[tuple[Hparam, ...]]


def hparam(name: str, node: Node, at: Where, *path: str | int) -> Hparam:
    """Return a value, which stands at a path, as a hyperparameter; a list is one value.

    >>> hparam("lr", Scalar(0.001, "1e-3"), "sweep.yml:{}".format, 1)
    Hparam(name='lr', value=0.001, text='1e-3')
    >>> hparam("sizes", [Scalar(1, "1"), Scalar(2, "2")], "sweep.yml:{}".format, 1)
    Hparam(name='sizes', value=(1, 2), text=('1', '2'))
    """
    if isinstance(node, list):
        value = tuple([hparam(name, item, at, *path).value for item in node])
        return Hparam(name, value, tuple([_text(item) for item in node]))
    if isinstance(node, dict):
        raise SweepError(f"{at(*path)}: {name}: a value can't be a mapping; see docs/sweeps.md")
    if "\0" in node.text:
        raise SweepError(f"{at(*path)}: {name} holds a NUL, which no command line can; remove it")
    if node.value is None or (node.plain and node.text == "None"):
        return Hparam(name, None, None)
    return Hparam(name, node.value, None if isinstance(node.value, bool) else node.text)


def values(name: str, node: Node, at: Where) -> list[Hparam]:
    """Return a hyperparameter for each value that a key of HPARAMS takes.

    >>> [given.text for given in values("seed", {"repeat": Scalar(2, "2")}, "sweep.yml:{}".format)]
    ['0', '1']
    """
    check_name(name, at)
    if isinstance(node, Scalar):
        made = [hparam(name, node, at, name)]
    elif isinstance(node, list):
        made = [hparam(name, item, at, name, index) for index, item in enumerate(node)]
    else:
        operator, argument = operated(name, node, at)
        if operator in DRAWS:
            raise SweepError(f"{at(name)}: {name}: {operator} can't stand here; list the values")
        made = [hparam(name, item, at, name) for item in _applied(name, operator, argument, at)]
    if not made:
        raise SweepError(f"{at(name)}: {name} has no values; give it one, or remove it")
    return made


def operated(name: str, node: dict[str, Node], at: Where) -> tuple[str, Node]:
    """Give the operator that a mapping names, and its argument."""
    known = [*OPERATORS, *DRAWS]
    first = next(iter(node), "")
    named = [key for key in node if key in known]
    if named and len(node) == 1:
        return first, node[first]
    where = f"{at(name)}: {name}:"
    if named:
        others = ", ".join(key for key in node if key != named[0])
        raise SweepError(f"{where} {named[0]} stands alone; remove {others}")
    dotted = ", ".join(f"{name}.{leaf}" for leaf in _leaves(node)) or f"{name}.key"
    nested = f"nested parameters are written with dots: {dotted}"
    meant = remedy(first, known)
    if len(node) == 1 and meant.startswith("did"):
        raise SweepError(f"{where} {first} is no operator, {meant} ({nested})")
    raise SweepError(f"{where} {nested}")


def check_name(name: str, at: Where) -> None:
    """Refuse names that are ours and mean nothing."""
    ours = (TAG, SKIP, ZIP, CASES)
    if name.startswith("RUNX.") and name not in ours:
        raise SweepError(f"{at(name)}: {name} is unknown: {remedy(name, ours)}")
    if name in (RESOURCE, RESOURCE[:-1]) or "\0" in name:
        raise SweepError(f"{at(name)}: {name!r} names nothing; write SUBMIT_JOB.NODES or the like")


def _applied(name: str, operator: str, argument: Node, at: Where) -> list[Node]:
    try:
        return OPERATORS[operator](argument)
    except SweepError as error:
        raise SweepError(f"{at(name, operator)}: {name}: {operator} {error}") from None


def _leaves(node: dict[str, Node]) -> list[str]:
    found = []
    for key, child in node.items():
        inner = _leaves(child) if isinstance(child, dict) else []
        found += [f"{key}.{leaf}" for leaf in inner] or [key]
    return found


def _text(node: Node) -> str:
    """Give the text of an item of a list; a list in it is written in YAML's flow style."""
    if isinstance(node, list):
        return "[" + ",".join(map(_text, node)) + "]"
    assert not isinstance(node, dict)
    return node.text or ("" if isinstance(node.value, str) else "null")
