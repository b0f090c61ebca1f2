"""What importers read, what they give, and how that is written as YAML.

An importer is two functions and its entry in registry.IMPORTERS: one recognises its tool's files,
the other one turns such a file into settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runx.printable import printable
from runx.sweeps.scalars import TRUTH_IN_YAML_11, scalar

_WORD = re.compile(r"[A-Za-z0-9_./+][\w./@%+=-]*(?: [\w./@%+=-]+)*\Z", re.ASCII)
_COMMAND = re.compile(r"[A-Za-z_./][^\n]*\Z")
_WIDEST = 100


class Source(NamedTuple):
    """A file to import: its path and text, and its mapping where it is YAML, of version 1.1."""

    path: Path
    text: str
    tree: Mapping[str, Any]


class Imported(NamedTuple):
    """What a file becomes: ``settings`` of an experiment, and what ``farm`` they are for.

    ``lost`` is what can't be carried over, with the reason; ``doubtful`` is what should be looked
    at. ``farm`` are settings of the scheduler's section of a .runx, ``farm_name`` is its name.
    """

    settings: Mapping[str, Any]
    lost: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    farm_name: str = ""
    farm: Mapping[str, Any] = {}


class Importer(NamedTuple):
    """How the files of a tool are recognised, and read."""

    tool: str
    recognise: Callable[[Source], bool]
    read: Callable[[Source], Imported]


class Plain(str):
    """A text that stands in YAML without quotes, since the tool read it as a text too."""

    __slots__ = ()


def as_number(value: Any) -> Any:
    """Return a text that PyYAML alone takes for one, as ``1e-3``, as the number that it looks like.

    >>> flow([as_number("1e-3"), "1e-3", as_number("a"), as_number(1)])
    '[1e-3, "1e-3", a, 1]'
    """
    is_text = isinstance(value, str) and "n" not in value.lower()
    return Plain(value) if is_text and isinstance(scalar(value).value, float) else value


def number(value: Any) -> Any:
    """Return a number, which PyYAML may have read as a text, as 1e-5."""
    return float(value) if isinstance(value, str) else value


def flow(value: Any) -> str:
    """Return a value as YAML on one line. A number's text is that which Python's ``str`` gives.

    >>> flow({"lr": [1e-05, Plain("1e-3")], "opt": "adam", "on": True, "x": "yes", "n": "1"})
    '{lr: [1e-05, 1e-3], opt: adam, "on": true, x: "yes", "n": "1"}'
    """
    if isinstance(value, Plain):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join([f"{_text(str(k))}: {flow(v)}" for k, v in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = str(value)
    return text.replace("inf", ".inf").replace("nan", ".nan") if isinstance(value, float) else text


def _text(text: str) -> str:
    is_text = isinstance(scalar(text).value, str) and text != "None"
    if _WORD.match(text) and is_text and text.lower() not in (*TRUTH_IN_YAML_11, "y", "n"):
        return text
    return json.dumps(text, ensure_ascii=False)


def block(settings: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return settings as lines of YAML: mappings and lists of mappings a line for each item.

    >>> block({"CMD": "python x.py", "HPARAMS": {"lr": [1, 2]}, "SETUP": "a\\nb"})
    ['CMD: python x.py', 'HPARAMS:', '  lr: [1, 2]', 'SETUP: |-', '  a', '  b']
    """
    lines = []
    for key, value in settings.items():
        name = f"{indent}{_text(key)}:"
        if isinstance(value, str) and _is_block(value):
            style = "|" if value.endswith("\n") else "|-"
            lines += [f"{name} {style}", *(f"{indent}  {line}".rstrip() for line in _lines(value))]
        elif isinstance(value, Mapping) and value and not _fits(name, value):
            lines += [name, *block(value, indent + "  ")]
        elif isinstance(value, list) and value and _is_long(name, value):
            lines += [name, *(f"{indent}- {flow(item)}" for item in value)]
        else:
            lines.append(f"{name} {_in_block(value)}")
    return lines


def _is_block(text: str) -> bool:
    """Return whether a text can stand on lines of its own, where nothing is escaped."""
    lines = _lines(text)
    is_exact = all(line == line.rstrip() for line in lines) and not text.startswith(" ")
    return len(lines) > 1 and lines[-1] != "" and is_exact and printable(text) == text


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _in_block(value: Any) -> str:
    """Return a value after its key, where brackets, braces and commas need no quotes."""
    is_plain = isinstance(value, str) and _COMMAND.match(value) and not value.endswith((":", " "))
    is_plain = is_plain and printable(value) == value
    is_text = is_plain and ": " not in value and " #" not in value and " " in value
    return str(value) if is_text else flow(value)


def _fits(name: str, value: Mapping[str, Any]) -> bool:
    is_flat = not any(isinstance(item, Mapping) and len(item) > 1 for item in value.values())
    is_short = len(name) + len(flow(value)) < _WIDEST
    return (
        is_flat and is_short and name.strip() not in ("HPARAMS:", "ENV:") and "\n" not in str(value)
    )


def _is_long(name: str, value: list[Any]) -> bool:
    has_mappings = any(isinstance(item, Mapping) for item in value)
    return has_mappings or name.strip() == "DIRECTIVES:"
