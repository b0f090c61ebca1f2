"""The types of hyperparameters, as HPARAMS_TYPES gives them: read, checked and described."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runx.errors import SettingsError, SweepError
from runx.nearest import listed, nearest_first, suggestion
from runx.sweeps.axes import GROUPS, Locator, hparam
from runx.sweeps.identity import is_same
from runx.sweeps.scalars import scalar, value_text
from runx.sweeps.values import Node, Point, Scalar, Value

KINDS: Mapping[str, Callable[[Value], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
}
"""The types of one value; a list of such has its type in brackets, as ``[float]``."""


# What a shell may complete: a value that needs no quotes.
_WORD = re.compile(r"[^\s,\[\]{}'\"]+\Z")


class HparamType(NamedTuple):
    """What a hyperparameter may be. ``kind`` is one of KINDS, or empty for any.

    Of a list, ``kind``, ``min``, ``max`` and ``choices`` are of its items. ``choices`` None are
    any.
    """

    kind: str = ""
    is_list: bool = False
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    choices: tuple[Value, ...] | None = None
    help: str = ""

    def problem(self, value: Value) -> str:
        """Return what is wrong with a value, empty where nothing is.

        >>> HparamType("float", min=0).problem(-1), HparamType("int").problem("x")
        ('-1 is less than 0', "'x' is no int")
        """
        if value is None:
            return "" if self.nullable else "is null; nullable: true allows that"
        if not self.is_list:
            return self._problem_of_one(value)
        if not isinstance(value, tuple):
            return f"{_shown(value)} is no list; a list as one value is written [[1, 2]]"
        return next(filter(None, map(self._problem_of_one, value)), "")

    def _problem_of_one(self, value: Value) -> str:
        text = _shown(value)
        if self.choices is not None and not _is_among(value, self.choices):
            names = [value_text(choice) for choice in self.choices]
            near = listed(nearest_first(value_text(value), names))
            return f"{text} is none of its choices, which {near}"
        if self.kind and not KINDS[self.kind](value):
            is_text = isinstance(value, str) and KINDS["float"](scalar(value).value)
            hint = "; it is text, write it without quotes" if is_text else ""
            hint = "; quote what is text" if self.kind == "str" else hint
            text = repr(value) if isinstance(value, float) else text
            return f"{text} is no {self.kind}{hint}"
        if (self.min, self.max) == (None, None):
            return ""
        if not KINDS["float"](value):
            return f"{text} is no number"
        assert isinstance(value, (int, float))
        if self.min is not None and not value >= self.min:
            return f"{text} is less than {value_text(self.min)}"
        if self.max is not None and not value <= self.max:
            return f"{text} is more than {value_text(self.max)}"
        return ""

    def json(self) -> dict[str, Any]:
        """Return what was given of it, as JSON has it."""
        given = {
            "type": [self.kind] if self.is_list and self.kind else self.kind,
            "nullable": self.nullable,
            "min": self.min,
            "max": self.max,
            "choices": None if self.choices is None else list(self.choices),
            "help": self.help,
        }
        missing = (None, "", False)
        return {
            key: value for key, value in given.items() if not any(value is each for each in missing)
        }


def described(given: Mapping[str, Any]) -> str:
    """Return a type, as JSON has it, as a line of text.

    >>> described({"type": "float", "min": 0, "help": "learning rate"})
    'learning rate (float, at least 0)'
    """
    kind = given.get("type") or ""
    parts = [f"list of {kind[0]}" if isinstance(kind, list) else str(kind)]
    if given.get("choices"):
        parts = ["one of " + ", ".join(map(value_text, given["choices"]))]
    parts += [
        f"{words} {value_text(given[key])}"
        for key, words in (("min", "at least"), ("max", "at most"))
        if given.get(key) is not None
    ]
    parts += ["or null"] if given.get("nullable") else []
    text = ", ".join(filter(None, parts))
    about = str(given.get("help") or "")
    return f"{about} ({text})" if about and text else about or text


def read(settings: Mapping[str, Node], at: Locator) -> dict[str, HparamType]:
    """Return the types that HPARAMS_TYPES gives. ``at`` gives the place of its keys, for errors.

    >>> read({"sizes": [Scalar("int", "int")]}, str)["sizes"][:2]
    ('int', True)
    """
    return {name: _type_of(name, node, at) for name, node in settings.items()}


def _type_of(name: str, node: Node, at: Locator) -> HparamType:
    given = node if isinstance(node, dict) else {"type": node}
    if not given:
        raise SettingsError(f"{at(name)}: HPARAMS_TYPES: {name}: write float, or {{type: float}}")
    for key in given:
        if key not in _READERS:
            hint = suggestion(key, _READERS)
            raise SettingsError(
                f"{at(name, key)}: HPARAMS_TYPES: {name}: unknown key {key}; {hint}"
            )
    values: dict[str, Any] = {}
    for key, part in given.items():
        try:
            values.update(_READERS[key](part))
        except ValueError as error:
            where = f"{at(name, *([key] if isinstance(node, dict) else []))}: HPARAMS_TYPES"
            raise SettingsError(f"{where}: {name}: {key} {error}") from None
    result = HparamType(**values)
    low, high = result.min, result.max
    if low is not None and high is not None and low > high:
        raise SettingsError(f"{at(name)}: HPARAMS_TYPES: {name}: min is more than max")
    if (low, high) != (None, None) and result.kind in ("str", "bool"):
        raise SettingsError(f"{at(name)}: HPARAMS_TYPES: {name}: a {result.kind} has no min or max")
    return result


def _kind(node: Node) -> dict[str, Any]:
    is_list = isinstance(node, list)
    (item,) = node if isinstance(node, list) and len(node) == 1 else (node,)
    kind = item.text if isinstance(item, Scalar) else ""
    if kind not in KINDS:
        raise ValueError(f"takes {', '.join(KINDS)}, or a list of one as [float]")
    return {"kind": kind, "is_list": is_list}


def _limit(key: str) -> Callable[[Node], dict[str, Any]]:
    def read_limit(node: Node) -> dict[str, Any]:
        value = node.value if isinstance(node, Scalar) else ""
        if value is not None and (not KINDS["float"](value) or value != value):
            raise ValueError("takes a number")
        return {key: value}

    return read_limit


def _choices(node: Node) -> dict[str, Any]:
    if not isinstance(node, list) or not node:
        raise ValueError("takes a list of values")
    return {"choices": tuple(hparam("choices", item, lambda *_: "").value for item in node)}


def _nullable(node: Node) -> dict[str, Any]:
    if not isinstance(node, Scalar) or not isinstance(node.value, bool):
        raise ValueError("takes true or false")  # noqa: TRY004
    return {"nullable": node.value}


def _help(node: Node) -> dict[str, Any]:
    if not isinstance(node, Scalar):
        raise ValueError("takes a text")  # noqa: TRY004
    return {"help": node.text}


_READERS: Mapping[str, Callable[[Node], dict[str, Any]]] = {
    "type": _kind,
    "min": _limit("min"),
    "max": _limit("max"),
    "choices": _choices,
    "nullable": _nullable,
    "help": _help,
}


def check(
    points: Iterable[Point], types: Mapping[str, HparamType], hparams: Node, at: Locator
) -> None:
    """Raise a SweepError for the first value of a point that its type doesn't allow.

    ``hparams`` and ``at`` are of the sweep: they give its place.
    """
    # Points share the objects of their values: each is checked once.
    right: dict[int, Any] = {}
    for point in points:
        for each in point.hparams:
            if id(each) in right or each.name not in types:
                continue
            if problem := types[each.name].problem(each.value):
                place = next(places(hparams, at, each.name, each.value), None) or at()
                raise SweepError(f"{place}: {each.name}: {problem} (HPARAMS_TYPES)")
            right[id(each)] = each


def places(hparams: Node, at: Locator, name: str, value: Value) -> Iterator[str]:
    """Yield where a hyperparameter has a value, then where it is set at all.

    >>> tree = {"lr": [Scalar(1, "1"), Scalar(2, "2")]}
    >>> list(places(tree, lambda *path: path, "lr", 2))
    [('lr', 1), ('lr',)]
    """
    found = list(_set_at(hparams, name, ()))
    for node, path in found:
        items = [*enumerate(node)] if isinstance(node, list) else []
        yield from (at(*path, place) for place, item in items if _has(name, item, value))
        if isinstance(node, Scalar) and _has(name, node, value):
            yield at(*path)
    yield from (at(*path) for _, path in found)


def _set_at(
    node: Node, name: str, path: tuple[str | int, ...]
) -> Iterator[tuple[Node, tuple[str | int, ...]]]:
    """Yield the values of a key of HPARAMS, those in zips and the like too, with their paths."""
    if isinstance(node, list):
        for place, item in enumerate(node):
            yield from _set_at(item, name, (*path, place))
    elif isinstance(node, dict):
        for key, child in node.items():
            if key == name:
                yield child, (*path, key)
            elif key in GROUPS:
                yield from _set_at(child, name, (*path, key))


def _has(name: str, node: Node, value: Value) -> bool:
    if isinstance(node, dict):
        return False
    try:
        return is_same(hparam(name, node, lambda *_: "").value, value)
    except SweepError:
        return False


def check_names(places: Mapping[str, str], known: Collection[str]) -> None:
    """Raise a SettingsError for a type, by its place, of a hyperparameter that no point has."""
    for name, place in places.items():
        if name not in known:
            raise SettingsError(
                f"{place}: HPARAMS_TYPES: no run has {name}; {suggestion(name, known)}"
            )


def _is_among(value: Value, choices: Iterable[Value]) -> bool:
    return any(is_same(value, choice) for choice in choices)


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else value_text(value)


def completions(given: HparamType) -> list[str]:
    """Return the values that a shell may complete: choices, and those of a bool."""
    values = given.choices if given.choices is not None else ()
    words = [value_text(value) for value in values] or (
        ["true", "false"] if given.kind == "bool" else []
    )
    return [word for word in words if is_word(word)]


def is_word(text: str) -> bool:
    """Return whether a value can be typed on a command line as it is."""
    return bool(_WORD.match(text))
