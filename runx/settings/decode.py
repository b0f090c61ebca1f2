"""What a setting's text means: one function for each kind of key."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runx.errors import SettingsError
from runx.language.yamltext import plain
from runx.settings.farmkeys import FARM_KINDS
from runx.settings.keys import KEYS
from runx.settings.layers import Entry, anchored
from runx.settings.sweepkeys import SWEEP_KINDS
from runx.sweeps.values import Hparam, Node, Scalar, Value

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def decoded(name: str, entry: Entry, environment: Mapping[str, str]) -> Any:
    """Read a setting as its key's kind has it; a SettingsError names where it stands.

    >>> decoded("CODE_MAX_SIZE", Entry(Scalar("2 MB", "2 MB"), "sweep.yml:3", Path("/")), {})
    2000000
    """
    return _KINDS[KEYS[name].kind](name, entry, environment)


def _scalar(name: str, entry: Entry, form: str) -> Scalar:
    if not isinstance(entry.node, Scalar):
        raise SettingsError(f"{entry.origin}: {name} must be {form}")
    return entry.node


def _text(name: str, entry: Entry, _: Mapping[str, str]) -> str:
    scalar = _scalar(name, entry, "text")
    return "" if scalar.value is None else scalar.text


def _name(name: str, entry: Entry, environment: Mapping[str, str]) -> str:
    return _text(name, entry, environment).strip()


def _path(name: str, entry: Entry, environment: Mapping[str, str]) -> Path | None:
    text = _text(name, entry, environment)
    return expanded(text, name, entry, environment) if text else None


def _search(name: str, entry: Entry, environment: Mapping[str, str]) -> str:
    known = {"PYTHONPATH": "", **environment}
    parts = _text(name, entry, environment).split(":")
    filled = (_filled(part, name, entry, known) for part in parts)
    return ":".join(part for part in filled if part)


def expanded(text: str, name: str, entry: Entry, environment: Mapping[str, str]) -> Path:
    """Expand ~, $VAR and {user} in a path, which starts from where the setting stands."""
    filled = _filled(text, name, entry, environment)
    return Path(os.path.normpath(anchored(filled, entry.base)))


def _filled(text: str, name: str, entry: Entry, environment: Mapping[str, str]) -> str:
    def variable(match: re.Match[str]) -> str:
        word = match[1] or match[2]
        if word not in environment:
            raise SettingsError(f"{entry.origin}: {name} names ${word}, which is not set")
        return environment[word]

    text = _VARIABLE.sub(variable, _with_user(text, environment))
    if not text.startswith("~"):
        return text
    home = os.path.expanduser(text)  # noqa: PTH111  it tells ~nobody from a home
    if home.startswith("~"):
        raise SettingsError(f"{entry.origin}: {name}: no home for {text.split('/')[0]}")
    return home


def _with_user(text: str, environment: Mapping[str, str]) -> str:
    return text.replace("{user}", user_of(environment)) if "{user}" in text else text


def user_of(environment: Mapping[str, str]) -> str:
    """Say who launches.

    >>> user_of({"USER": "ada"})
    'ada'
    """
    if environment.get("USER"):
        return environment["USER"]
    from getpass import getuser

    return getuser()


def _words(name: str, entry: Entry, _: Mapping[str, str]) -> tuple[str, ...]:
    form = "a list of names, or names with commas between"
    if isinstance(entry.node, list):
        if not all(isinstance(item, Scalar) for item in entry.node):
            raise SettingsError(f"{entry.origin}: {name} must be {form}")
        return tuple(item.text for item in entry.node if isinstance(item, Scalar))
    scalar = _scalar(name, entry, form)
    if scalar.value is None:
        return ()
    return tuple(word.strip() for word in scalar.text.split(",") if word.strip())


def _switch(name: str, entry: Entry, _: Mapping[str, str]) -> bool:
    text = _scalar(name, entry, "true or false").text.lower()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise SettingsError(f"{entry.origin}: {name} must be true or false, not {text}")


def _choice(name: str, entry: Entry, environment: Mapping[str, str]) -> str:
    choices = KEYS[name].choices
    text = _name(name, entry, environment)
    if text not in choices:
        raise SettingsError(f"{entry.origin}: {name} must be one of {', '.join(choices)}")
    return text


def _size(name: str, entry: Entry, environment: Mapping[str, str]) -> int:
    match = re.fullmatch(r"([\d.]+)\s*([KMGT]?B?)", _name(name, entry, environment), re.IGNORECASE)
    try:
        if match is None:
            raise ValueError
        unit = match[2].upper()
        return int(float(match[1]) * _UNITS[unit if not unit or unit.endswith("B") else unit + "B"])
    except ValueError:
        raise SettingsError(f"{entry.origin}: {name} must be a size, as 500MB or 2GB") from None


def _resources(name: str, entry: Entry, _: Mapping[str, str]) -> tuple[Hparam, ...]:
    if isinstance(entry.node, Scalar) and entry.node.value is None:
        return ()
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be a mapping, as {{gpu: 2, mem: 64}}")
    return tuple(_resource(name, key, node, entry) for key, node in entry.node.items())


def _resource(name: str, key: str, node: Node, entry: Entry) -> Hparam:
    if isinstance(node, Scalar):
        return Hparam(key, node.value, node.text)
    if isinstance(node, list) and all(isinstance(item, Scalar) for item in node):
        scalars = [item for item in node if isinstance(item, Scalar)]
        values: tuple[Value, ...] = tuple(item.value for item in scalars)
        return Hparam(key, values, tuple(item.text for item in scalars))
    raise SettingsError(f"{entry.origin}: {name}.{key} must be a value or a list of values")


def _paths(name: str, entry: Entry, environment: Mapping[str, str]) -> dict[str, Path]:
    if isinstance(entry.node, Scalar) and entry.node.value is None:
        return {}
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be a mapping of names to paths")
    return {
        key: expanded(_text(name, entry._replace(node=node), environment), name, entry, environment)
        for key, node in entry.node.items()
    }


def _values(name: str, entry: Entry, _: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be a mapping, as {{dropout: 0.0}}")
    values: dict[str, Any] = plain(entry.node)
    return values


def _hparams(_name: str, entry: Entry, _: Mapping[str, str]) -> Node:
    return entry.node


_KINDS: dict[str, Callable[[str, Entry, Mapping[str, str]], Any]] = {
    "text": _text,
    "name": _name,
    "path": _path,
    "words": _words,
    "switch": _switch,
    "choice": _choice,
    "size": _size,
    "resources": _resources,
    "paths": _paths,
    "hparams": _hparams,
    **FARM_KINDS,
    "values": _values,
    **SWEEP_KINDS,
    "search": _search,
}
