"""Whatever a script calls its hyperparameters, as values of JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from types import ModuleType
from typing import Any

from runx.errors import LogxError
from runx.tracking.scalars import plain_number, text_name

DEEPEST = 50
"""How deep containers are followed; json's own recursion ends at about 1,000."""
MANY = 1000
"""An array of more elements is described: it is data, not a hyperparameter."""
LONGEST = 500
"""The most characters of an object that is shown as text."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def as_mapping(hparams: Any) -> dict[str, Any]:
    """Return hyperparameters by their names: of a mapping, a Namespace, a dataclass, JSON text, ...

    Raises LogxError where there are no names, as in a list.

    >>> as_mapping('{"lr": 0.1}')
    {'lr': 0.1}
    """
    try:
        entries = _entries_at_top(hparams)
    except Exception:  # noqa: BLE001  Any code of the script's, or of its libraries, may run here.
        entries = None
    if entries is None:
        raise LogxError(
            "hparams= takes a mapping, argparse's namespace, a dataclass or the text of a JSON "
            f"object, not {text_of(hparams):.60}"
        )
    return {name_of(name): value for name, value in entries.items()}


def _entries_at_top(hparams: Any) -> Any:
    if isinstance(hparams, (str, bytes)):
        hparams = json.loads(hparams)
    entries = entries_of(hparams)
    if entries is None and not _is_sequence(hparams):
        entries = _attributes(hparams) or None
    return entries


def plain(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a value as JSON can hold it: numbers of any library as numbers, else as text.

    ``above`` are the ids of the containers that it is in. Never raises.

    >>> import argparse, pathlib
    >>> plain({"a": (1, pathlib.Path("x")), (1, 2): argparse.Namespace(b={3})})
    {'a': [1, 'x'], '(1, 2)': {'b': [3]}}
    """
    if value is None or type(value) in (bool, float):
        return value
    try:
        return _plain(value, above)
    except Exception:  # noqa: BLE001  Any code of the script's, or of its libraries, may run here.
        return text_of(value)


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, Enum):
        is_plain = isinstance(value, (str, bytes, int, float)) or isinstance(value.value, str)
        return plain(value.value) if is_plain else value.name
    if isinstance(value, (str, bytes)):
        return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    if isinstance(value, int):
        return int(value) if abs(value) < 10**300 else hex(value)
    if (entries := entries_of(value)) is not None:
        return _nested(value, entries, above)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return qualified(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        return _array(value)
    if _is_sequence(value):
        return _nested(value, None, above)
    try:
        return plain_number(value)
    except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError):
        return text_of(value)


def _nested(value: Any, entries: Mapping[Any, Any] | None, above: tuple[int, ...]) -> Any:
    """Return a container as JSON can hold it; one that is inside of itself ends there."""
    if id(value) in above or len(above) >= DEEPEST:
        return "..."
    above = (*above, id(value))
    if entries is not None:
        return {name_of(name): plain(entry, above) for name, entry in entries.items()}
    held = _of_omegaconf(value) if type(value).__name__ == "ListConfig" else value
    items = [plain(item, above) for item in held]
    return sorted(items, key=_order) if _is_set(value) else items


def _order(item: Any) -> tuple[str, Any]:
    """Return what a set is sorted by: it has another order in each process."""
    return type(item).__name__, item if isinstance(item, (int, float, str)) else repr(item)


def entries_of(value: Any) -> Any:
    """Return what a mapping, or an object that is a record of fields, holds; None of others."""
    kind = type(value)
    if kind.__name__ == "DictConfig":
        content = _of_omegaconf(value)
        return content if isinstance(content, dict) else None
    if isinstance(value, Mapping):
        return {name: value[name] for name in value}
    if isinstance(value, type):
        return None
    for fields in ("__dataclass_fields__", "__attrs_attrs__", "model_fields", "_fields"):
        if hasattr(kind, fields):
            declared = getattr(kind, fields)
            names = [getattr(each, "name", each) for each in declared]
            return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if kind.__name__ in ("Namespace", "SimpleNamespace", "ConfigDict", "FlagValues"):
        return _of_namespace(value)
    return None


def _of_namespace(value: Any) -> Any:
    """Return what a namespace of argparse and the like holds, one of absl or ml_collections too."""
    for method in ("flag_values_dict", "to_dict"):
        if hasattr(type(value), method):
            return getattr(value, method)()
    return vars(value)


def _of_omegaconf(value: Any) -> Any:
    """Return what a configuration holds; what is missing, or refers to nothing, as it stands."""
    config = sys.modules["omegaconf"].OmegaConf
    written = config.to_container(value, resolve=False, throw_on_missing=False)
    if isinstance(written, list):
        return [_entry(value, index, text) for index, text in enumerate(written)]
    if isinstance(written, dict):
        return {name: _entry(value, name, text) for name, text in written.items()}
    return written  # None, or "???" for all of it


def _entry(config: Any, key: Any, written: Any) -> Any:
    try:
        return config[key]
    except Exception:  # noqa: BLE001  An interpolation may run any resolver.
        return written


def _attributes(value: Any) -> dict[str, Any] | None:
    """Return the public attributes of an object or a class that stands for its hyperparameters."""
    classes = value.__mro__ if isinstance(value, type) else type(value).__mro__
    if classes[0].__module__ == "builtins" or isinstance(value, ModuleType):
        return None
    found: dict[str, Any] = {}
    for each in reversed(classes[:-1]):
        if each.__module__ != "builtins":
            found |= {
                name: attribute
                for name, attribute in vars(each).items()
                if not callable(attribute) and not hasattr(attribute, "__get__")
            }
            slots = each.__dict__.get("__slots__", ())
            names = (slots,) if isinstance(slots, str) else slots
            found |= {name: getattr(value, name) for name in names if hasattr(value, name)}
    if not isinstance(value, type):
        found |= getattr(value, "__dict__", {})
    return {name: found[name] for name in found if not name.startswith("_")}


def _array(value: Any) -> Any:
    """Return an array's elements as nested lists; of a large one the shape."""
    size = 1
    for length in value.shape:
        size *= int(length)
    if size > MANY or not hasattr(value, "tolist"):
        return f"a {type(value).__name__} of shape {tuple(map(int, value.shape))}"
    return plain(value.tolist())


def name_of(key: Any) -> str:
    """Return the name of an entry: that of JSON for null and the like, else the key as text.

    >>> name_of(None), name_of(True), name_of(3), name_of((1, "a"))
    ('null', 'true', '3', "(1, 'a')")
    """
    if isinstance(key, str):
        return text_name(key)
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    value = plain(key)
    return text_of(tuple(value) if isinstance(value, list) else value)


def text_of(value: Any) -> str:
    """Return an object as a short line that is the same in each process. Never raises."""
    text = " ".join(_ADDRESS.sub("", shown(value)).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def shown(value: Any) -> str:
    """Return an object as text, as str() does; the name of its type where that raises."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  Its own __str__ and __repr__ may raise anything.
        return f"<{type(value).__name__}>"


def path_of(value: Any, argument: str) -> str:
    """Return a path that a script gives; raises LogxError where it is none."""
    try:
        path = os.fsdecode(value)
    except Exception as error:  # its own __fspath__ may raise anything
        raise LogxError(f"{argument} takes a path, not {text_of(value):.60}") from error
    if "\0" in path:
        raise LogxError(f"{argument} takes a path, not {path!r:.60}")
    return path


def flag(value: Any, argument: str) -> bool:
    """Return whether a script asks for something; raises LogxError where that can't be told."""
    try:
        return bool(value)
    except Exception as error:  # as an array's, or the script's own, may
        raise LogxError(f"{argument} is true or false, not {text_of(value):.60}") from error


def qualified(value: Any) -> str:
    """Return the full name of a function or class, without the module of the script itself.

    >>> qualified(json.dumps), qualified(int)
    ('json.dumps', 'int')
    """
    module = getattr(value, "__module__", None)
    name = str(value.__qualname__)
    return name if module in (None, "__main__", "builtins") else f"{module}.{name}"


def _is_set(value: Any) -> bool:
    return isinstance(value, Set) and not isinstance(value, Sequence)


def _is_sequence(value: Any) -> bool:
    """Return whether an object holds items that can be read again: an iterator is left alone."""
    is_known = type(value).__name__ in ("ListConfig", "deque", "dict_values")
    return is_known or isinstance(value, (Sequence, Set))
