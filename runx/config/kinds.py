"""The kinds of values that settings take: how each is read, and its JSON Schema.

To add one, write a function that reads it, and its ``Kind``. Mappings are in ``mappings``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from runx.errors import SettingsError
from runx.home import user_name
from runx.sweeps.scalars import seconds
from runx.sweeps.values import Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping


Environment: TypeAlias = "Mapping[str, str]"
Schema: TypeAlias = "dict[str, Any]"


class Entry(NamedTuple):
    """A setting as it is written: its value, its source, and the folder of its relative paths.

    ``at`` returns where a part of the value stands, named by its keys and indices.
    """

    node: Node
    origin: str
    base: Path
    at: Callable[..., str] = str

    @property
    def text(self) -> str:
        """The text of one value; a ValueError for a list or a mapping."""
        if not isinstance(self.node, Scalar):
            raise ValueError("a list or a mapping where one value belongs")  # noqa: TRY004
        return self.node.text


class Kind(NamedTuple):
    """A kind of value.

    For a node of another type than ``takes``, or a ValueError of ``read``, users read that the
    setting "must be" of that ``form``. ``empty`` is the value of a setting that is null or missing.
    ``is_literal``: an override's text is the value, whatever YAML makes of it. ``over`` returns
    the value that a setting of two sources has, the stronger first; without it mappings are laid
    over each other key by key.
    """

    takes: type | tuple[type, ...]
    form: str
    read: Callable[[str, Entry, Environment], Any]
    schema: Schema
    empty: Any = None
    is_literal: bool = False
    over: Callable[[Entry, Entry], Node] | None = None

    def laid_over(self, stronger: Entry, weaker: Entry) -> Node:
        """Return the value that a setting of two sources has."""
        if self.over is not None:
            return self.over(stronger, weaker)
        one, other = stronger.node, weaker.node
        if self.takes is dict and isinstance(one, dict) and isinstance(other, dict):
            return {**other, **one}
        return one

    def decode(self, name: str, entry: Entry, environment: Environment) -> Any:
        """Return the value of a setting, ``empty`` for null.

        Raises:
            SettingsError: It is of another kind.

        >>> SIZE.decode("CODE_MAX_SIZE", Entry(Scalar("2 MB", "2 MB"), "x.yml:3", Path("/")), {})
        2000000
        """
        if isinstance(entry.node, Scalar) and entry.node.value is None:
            return self.empty
        try:
            if isinstance(entry.node, self.takes):
                return self.read(name, entry, environment)
        except ValueError:
            pass
        raise SettingsError(f"{entry.origin}: {name} must be {self.form}")


_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def _path(name: str, entry: Entry, environment: Environment) -> Path | None:
    if not entry.text:
        return None
    text = with_variables(entry.text, name, entry, environment)
    return Path(os.path.normpath(entry.base / text))


def _search(name: str, entry: Entry, environment: Environment) -> str:
    variables = {"PYTHONPATH": "", **environment}
    parts = entry.text.split(":")
    return ":".join(filter(None, (with_variables(part, name, entry, variables) for part in parts)))


def with_variables(text: str, name: str, entry: Entry, environment: Environment) -> str:
    """Return a text with ~, $VAR and {user} expanded."""

    def value_of(match: re.Match[str]) -> str:
        variable = match[1] or match[2]
        if variable not in environment:
            raise SettingsError(f"{entry.origin}: {name} names ${variable}, which is not set")
        return environment[variable]

    if "{user}" in text:
        text = text.replace("{user}", user_name(environment))
    text = _VARIABLE.sub(value_of, text)
    if not text.startswith("~"):
        return text
    home = os.path.expanduser(text)  # noqa: PTH111  it leaves ~nobody as it is, Path raises
    if home.startswith("~"):
        raise SettingsError(f"{entry.origin}: {name}: no home for {text.split('/')[0]}")
    return home


def _words(_name: str, entry: Entry, _: Environment) -> tuple[str, ...]:
    if isinstance(entry.node, list):
        return tuple(entry._replace(node=item).text for item in entry.node)
    return tuple(word.strip() for word in entry.text.split(",") if word.strip())


def _labels(name: str, entry: Entry, environment: Environment) -> tuple[str, ...]:
    labels = _words(name, entry, environment)
    if not all(label.strip() and "," not in label for label in labels):
        raise ValueError(labels)
    return labels


def _lines(_name: str, entry: Entry, _: Environment) -> tuple[str, ...]:
    items = entry.node if isinstance(entry.node, list) else [entry.node]
    texts = [entry._replace(node=item).text for item in items]
    return tuple(line for text in texts for line in text.splitlines() if line.strip())


_SWITCH = {"true": True, "1": True, "false": False, "0": False}


def _switch(name: str, entry: Entry, _: Environment) -> bool:
    text = entry.text.lower()
    if text not in _SWITCH:
        raise SettingsError(f"{entry.origin}: {name} must be true or false, not {text}")
    return _SWITCH[text]


_MODE = r"^(0o?)?([0-7]?7[0-7][0-7])$"
_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _size(_name: str, entry: Entry, _: Environment) -> int:
    text = entry.text.strip().upper()
    match = re.fullmatch(r"(\d{1,15}(?:\.\d*)?|\.\d+)\s*([KMGT]?)B?", text, re.ASCII)
    if match is None:
        raise ValueError(text)
    return int(float(match[1]) * _BYTES[match[2]])


def _duration(_name: str, entry: Entry, _: Environment) -> float:
    length = seconds(entry.text)
    if length is None:
        raise ValueError(entry.text)
    return length


def _mode(_name: str, entry: Entry, _: Environment) -> int:
    """Read the mode of folders; the owner keeps every right, or no run could begin."""
    match = re.fullmatch(_MODE, entry.text.strip())
    if match is None:
        raise ValueError(entry.text)
    return int(match[2], 8)


def _number(_name: str, entry: Entry, _: Environment) -> int:
    text = entry.text.strip()
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _count(_name: str, entry: Entry, _: Environment) -> int | None:
    text = entry.text.strip()
    if text and (not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not int(text)):
        raise ValueError(text)
    return int(text) if text else None


def _priority(_name: str, entry: Entry, _: Environment) -> int | None:
    text = entry.text.strip()
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{1,2}", text, re.ASCII) or abs(int(text)) > 10:
        raise ValueError(text)
    return int(text)


def _seed(_name: str, entry: Entry, _: Environment) -> int | str:
    text = entry.text.strip()
    return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text


SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
SCALARS: Schema = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
PATH_SCHEMA: Schema = {"type": ["string", "null"]}
_SCALAR_OR_LIST = (Scalar, list)
TEXT = Kind(Scalar, "text", lambda _name, entry, _: entry.text, SCALAR, "", is_literal=True)
NAME = Kind(Scalar, "text", lambda _name, entry, _: entry.text.strip(), SCALAR, "", is_literal=True)
PATH = Kind(Scalar, "text", _path, PATH_SCHEMA, is_literal=True)
SEARCH_PATH = Kind(Scalar, "text", _search, PATH_SCHEMA, "")
WORDS = Kind(_SCALAR_OR_LIST, "a list of names, or names with commas between", _words, SCALARS, ())
LABELS = WORDS._replace(
    form="a list of names, none of them empty or with a comma in it", read=_labels
)
LINES = Kind(_SCALAR_OR_LIST, "a list of lines", _lines, SCALARS, ())
SWITCH = Kind(
    Scalar, "true or false", _switch, {"enum": [True, False, "true", "false", 0, 1, None]}
)
SIZE = Kind(Scalar, "a size, as 500MB or 2GB", _size, {"type": ["string", "integer", "null"]})
DURATION = Kind(
    Scalar,
    "a length of time, as 90s, 10m or 2h; 0 is none",
    _duration,
    {"type": ["string", "number", "null"]},
)
MODE = Kind(
    Scalar,
    "the mode of folders in octal: 0777 for a+rwX, 0775 for g+rwX, 0755 for a+rX, 0750 for g+rX",
    _mode,
    {"type": ["string", "integer", "null"], "pattern": _MODE},
)
NUMBER = Kind(
    Scalar,
    "a whole number, as 20, of at most 9 digits",
    _number,
    {"type": ["integer", "null"], "minimum": 0},
    0,
)
COUNT = Kind(
    Scalar,
    "a whole number from 1 on, of at most 9 digits",
    _count,
    {"type": ["integer", "null"], "minimum": 1},
)
PRIORITY = Kind(
    Scalar,
    "a whole number from -10 to 10; higher starts sooner",
    _priority,
    {"type": ["integer", "null"], "minimum": -10, "maximum": 10},
)
SEED = Kind(Scalar, "a number, or a word", _seed, {"type": ["integer", "string", "null"]})


def one_of(*choices: str) -> Kind:
    """Return the kind of a setting that takes one of some words.

    >>> one_of("record", "warn").schema
    {'enum': ['record', 'warn', None]}
    """
    return Kind(
        Scalar,
        f"one of {', '.join(choices)}",
        lambda _name, entry, _: choices[choices.index(entry.text.strip())],
        {"enum": [*choices, None]},
        "" if "" in choices else None,
    )
