"""The part of Hydra's override grammar that sweeps are written in.

See https://hydra.cc/docs/advanced/override_grammar/extended/. Elements are spelt as Hydra spells
them when it gives a job its overrides: ``0.50`` is ``0.5``, ``True`` is ``true``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from runx.errors import SettingsError

_FUNCTION = re.compile(r"([A-Za-z_]\w*)\((.*)\)\Z", re.DOTALL)
_INT = re.compile(r"[-+]?(0|[1-9](_?\d)*)\Z", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?((\d(_?\d)*)?\.\d(_?\d)*|\d(_?\d)*\.|\d(_?\d)*(?=[eE]))([eE][-+]?\d+)?\Z", re.ASCII
)
_SPECIAL = re.compile(r"([\\()\[\]{}:=, \t])")
_ESCAPED = re.compile(rf"\\{_SPECIAL.pattern}")
_INTERPOLATION = re.compile(r"\$\{[^{}]*\}")
_OPEN, _CLOSED = "([{", ")]}"


class Swept(NamedTuple):
    """What an override gives a key: elements, or an interval, with its tags.

    ``kind`` is ``value``, ``choice``, ``range``, ``glob`` or ``interval``. ``stop`` is the end of a
    range if it is a step of it: Optuna draws it, Hydra's own sweeper leaves it out.
    """

    kind: str
    elements: tuple[str, ...]
    tags: tuple[str, ...] = ()
    is_int: bool = False
    is_shuffled: bool = False
    stop: tuple[str, ...] = ()


def swept(text: str) -> Swept:
    """Return what the text after an override's equals sign means.

    >>> swept("0.50, 1e-5,True").elements, swept("range(1, 6, 2)").elements
    (('0.5', '1e-05', 'True'), ('1', '3', '5'))
    >>> swept("[1, 2]")[:2], swept("tag(log, interval(0.1, 1))")[:3]
    (('value', ('[1,2]',)), ('interval', ('0.1', '1'), ('log',)))

    Raises:
        SettingsError: It is no such text, or has a function that is unknown.
    """
    parts = split(text)
    if len(parts) > 1:
        return Swept("choice", tuple(map(element, parts)))
    match = _FUNCTION.match(text.strip())
    if match is None:
        return Swept("value", (element(text),))
    name, arguments = match[1], split(match[2])
    if name in ("choice", "interval", "range", "glob"):
        return _simple(name, arguments)
    if name in ("shuffle", "sort", "tag", "int", "float"):
        return _modified(name, arguments)
    raise SettingsError(f"{text}: {name}() is not known here")


def _simple(name: str, arguments: list[str]) -> Swept:
    if name == "range":
        return _range(arguments)
    if name == "glob":
        return Swept(name, tuple([each.strip() for each in arguments]))
    values = [_named(each)[1] for each in arguments] if name == "interval" else arguments
    return Swept(name, tuple(map(element, values)))


def _modified(name: str, arguments: list[str]) -> Swept:
    """Return what a function over a sweep gives."""
    if name == "tag":
        *tags, inner = [each.strip() for each in arguments]
        return swept(inner)._replace(tags=tuple(tags))
    options = dict(map(_named, arguments[1:])) if "=" in "".join(arguments[1:]) else {}
    items = [each for each in arguments if _named(each)[0] not in ("reverse", "list")]
    found = swept(", ".join(items))
    if name == "shuffle":
        return found._replace(is_shuffled=True)
    if name == "sort":
        values = sorted(found.elements, key=_order, reverse=options.get("reverse") == "true")
        return found._replace(elements=tuple(values))
    if found.kind == "interval":
        return found._replace(is_int=name == "int")
    cast = int if name == "int" else float
    return found._replace(elements=tuple([str(cast(float(each))) for each in found.elements]))


def _order(text: str) -> Any:
    return (0, float(text), "") if _is_number(text) else (1, 0.0, text)


def _is_number(text: str) -> bool:
    return bool(_INT.match(text) or _FLOAT.match(text))


def _named(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    return (name.strip(), value.strip()) if equals else ("", argument.strip())


def _range(arguments: list[str]) -> Swept:
    """Return the numbers of a range, the end not included; Hydra counts in decimals of floats."""
    named = dict(pair for pair in map(_named, arguments) if pair[0])
    plain = [value for name, value in map(_named, arguments) if not name]
    if len(plain) == 1 and "stop" not in named:
        plain.insert(0, "0")
    start, stop, step = [
        named.get(name, plain[place] if place < len(plain) else default)
        for place, (name, default) in enumerate((("start", "0"), ("stop", ""), ("step", "1")))
    ]
    if not all(map(_is_number, (start, stop, step))) or not float(step):
        raise SettingsError(f"range({', '.join(arguments)}): takes start, stop and step, numbers")
    is_int = all(_INT.match(each) for each in (start, stop, step))
    value, end, by = (Decimal(float(each)) for each in (start, stop, step))
    values = []
    while (value < end) if by > 0 else (value > end):
        values.append(str(int(value)) if is_int else str(float(value)))
        value += by
    last = str(int(end)) if is_int else str(float(end))
    is_step = not (Decimal(stop) - Decimal(start)) % Decimal(step) and last not in values
    return Swept("range", tuple(values), stop=(last,) if is_step else ())


def split(text: str) -> list[str]:
    """Return the parts of a text between commas that stand in no quotes or brackets.

    >>> split("a, [1,2], 'b,c'")
    ['a', ' [1,2]', " 'b,c'"]
    """
    parts, depth, quote, start = [], 0, "", 0
    for place, sign in enumerate(text):
        is_escaped = place > 0 and text[place - 1] == "\\"
        if is_escaped:
            continue
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and not (place and text[place - 1].isalnum()):
            quote = sign
        elif sign in _OPEN or sign in _CLOSED:
            depth += 1 if sign in _OPEN else -1
        elif sign == "," and not depth:
            parts.append(text[start:place])
            start = place + 1
    if quote or depth:
        raise SettingsError(f"{text}: a quote or bracket isn't closed")
    return [*parts, text[start:]]


def element(text: str) -> str:
    """Return an element as Hydra gives it on: numbers and truth values in Python's spelling.

    >>> [element(text) for text in (" 1_000", "1.", "TRUE", "'a b'", "{a: 1.0, b: [x, y]}", "a b")]
    ['1000', '1.0', 'True', "'a b'", '{a:1.0,b:[x,y]}', 'a\\\\ b']
    """
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        inner = text[1:-1]
        return "[" + ",".join(map(element, split(inner) if inner.strip() else [])) + "]"
    if text[:1] == "{" and text[-1:] == "}":
        pairs = [pair.partition(":") for pair in split(text[1:-1]) if pair.strip()]
        return "{" + ",".join([f"{element(key)}:{element(value)}" for key, _, value in pairs]) + "}"
    if text.lower() in ("true", "false", "null"):
        return "null" if text.lower() == "null" else text.capitalize()
    if _INT.match(text):
        return str(int(text))
    if _FLOAT.match(text):
        return str(float(text))
    return text if text[:1] in "'\"" else _escaped(text)


def _escaped(text: str) -> str:
    """Return an unquoted text, with what is special in it after a backslash."""
    plain = _ESCAPED.sub("", _INTERPOLATION.sub("", text))
    if re.search(r"[()\[\]{}=]", plain):
        raise SettingsError(f"{text}: a text with brackets or = is quoted in Hydra's grammar")
    return _SPECIAL.sub(r"\\\1", _ESCAPED.sub(r"\1", text))
