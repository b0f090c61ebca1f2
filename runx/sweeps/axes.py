"""The axes of a sweep: the values that each key of HPARAMS takes, one Hparam for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from runx.errors import SweepError
from runx.nearest import suggestion
from runx.sweeps.foreign import is_parameter, parameter_advice
from runx.sweeps.operators import DRAWS, OPERATORS, TOO_FAR
from runx.sweeps.values import Hparam, Node, Scalar

Locator: TypeAlias = Callable[..., str]
"""A function from a path of keys to its place: ``at("lr", 0)`` is ``sweep.yml:7``."""

TAG, SKIP, ZIP, CASES = "RUNX.TAG", "RUNX.SKIP", "RUNX.ZIP", "RUNX.CASES"
ABLATE = "RUNX.ABLATE"
RESERVED = (TAG, SKIP, ZIP, CASES, ABLATE)
"""The keys of HPARAMS that runx itself reads."""

GROUPS = (ZIP, CASES, ABLATE)
"""Those of them that hold hyperparameters."""

INDEX = "run.index"
"""The name, in computed values, of a combination's place in its sweep."""

RESOURCE = "SUBMIT_JOB."
"""The prefix of a resource's name; the script is not given resources."""


class Axis(NamedTuple):
    """Choices, each of one or more hyperparameters, of which every point takes one.

    ``key`` is the key of HPARAMS that it comes from, ``names`` are all that any choice sets.
    """

    key: str
    names: tuple[str, ...]
    choices: Sequence[tuple[Hparam, ...]]


def hparam(name: str, node: Node, at: Locator, *path: str | int) -> Hparam:
    """Return a value as a hyperparameter; a list is one value. ``path`` is its place, for errors.

    >>> hparam("lr", Scalar(0.001, "1e-3"), "sweep.yml:{}".format, 1)
    Hparam(name='lr', value=0.001, text='1e-3', is_default=False)
    >>> hparam("sizes", [Scalar(1, "1"), Scalar(2, "2")], "sweep.yml:{}".format, 1)
    Hparam(name='sizes', value=(1, 2), text=('1', '2'), is_default=False)
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


def values(name: str, node: Node, at: Locator) -> list[Hparam]:
    """Return a hyperparameter for each value that a key of HPARAMS takes.

    >>> [each.text for each in values("seed", {"repeat": Scalar(2, "2")}, "sweep.yml:{}".format)]
    ['0', '1']
    """
    check_name(name, at)
    if isinstance(node, Scalar):
        hparams = [hparam(name, node, at, name)]
    elif isinstance(node, list):
        hparams = [hparam(name, item, at, name, index) for index, item in enumerate(node)]
    else:
        operator, argument = operated(name, node, at)
        if operator in DRAWS:
            raise SweepError(f"{at(name)}: {name}: {operator} can't stand here; list the values")
        hparams = [hparam(name, item, at, name) for item in _applied(name, operator, argument, at)]
    if not hparams:
        raise SweepError(f"{at(name)}: {name} has no values; give it one, or remove it")
    return hparams


def operated(name: str, node: dict[str, Node], at: Locator) -> tuple[str, Node]:
    """Return the operator that a mapping names, and its argument."""
    all_operators = [*OPERATORS, *DRAWS]
    first = next(iter(node), "")
    if first and is_parameter(node):
        raise SweepError(f"{at(name)}: {name}: {parameter_advice(name, node)}")
    operators = [key for key in node if key in all_operators]
    if operators and len(node) == 1:
        return first, node[first]
    where = f"{at(name)}: {name}:"
    if operators:
        others = ", ".join(key for key in node if key != operators[0])
        raise SweepError(f"{where} {operators[0]} stands alone; remove {others}")
    dotted = ", ".join(f"{name}.{leaf}" for leaf in _leaves(node)) or f"{name}.key"
    nested = f"nested parameters are written with dots: {dotted}"
    hint = suggestion(first, all_operators)
    if len(node) == 1 and hint.startswith("did"):
        raise SweepError(f"{where} {first} is no operator, {hint} ({nested})")
    raise SweepError(f"{where} {nested}")


def check_name(name: str, at: Locator) -> None:
    """Raise if a name is reserved and means nothing, or is a flag."""
    if name.startswith("RUNX.") and name not in RESERVED:
        raise SweepError(f"{at(name)}: {name} is unknown: {suggestion(name, RESERVED)}")
    if name.startswith("-"):
        bare = name.lstrip("-") or "name"
        raise SweepError(
            f"{at(name)}: {name}: a hyperparameter has no dashes before it: write {bare}, which"
            f" gets those of ARGS, or {name} {{{bare}}} in CMD"
        )
    if name in (RESOURCE, RESOURCE[:-1]) or "\0" in name:
        raise SweepError(f"{at(name)}: {name!r} names nothing; write SUBMIT_JOB.NODES or the like")


def _applied(name: str, operator: str, argument: Node, at: Locator) -> list[Node]:
    try:
        return OPERATORS[operator](argument)
    except SweepError as error:
        raise SweepError(f"{at(name, operator)}: {name}: {operator} {error}") from None
    except OverflowError:
        raise SweepError(f"{at(name, operator)}: {name}: {operator} {TOO_FAR}") from None


def _leaves(node: dict[str, Node]) -> list[str]:
    names = []
    for key, child in node.items():
        inner = _leaves(child) if isinstance(child, dict) else []
        names += [f"{key}.{leaf}" for leaf in inner] or [key]
    return names


def _text(node: Node) -> str:
    """Return the text of an item of a list; a list in it is written in YAML's flow style."""
    if isinstance(node, list):
        return "[" + ",".join(map(_text, node)) + "]"
    assert not isinstance(node, dict)
    return node.text or ("" if isinstance(node.value, str) else "null")
