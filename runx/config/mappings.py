"""The kinds of settings that may be mappings: how each is read, and its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runx.config.kinds import PATH, PATH_SCHEMA, SCALAR, SCALARS, Entry, Environment, Kind, Schema
from runx.errors import SettingsError
from runx.rundir.styles import DASHES, STYLES, Style, style_of
from runx.sweeps.values import Hparam, Node, Scalar, Value
from runx.sweeps.yaml import plain

if TYPE_CHECKING:
    from runx.sweeps.hparam_types import HparamType


def _items(entry: Entry) -> Mapping[str, Node]:
    assert isinstance(entry.node, dict)
    return entry.node


def unfolded(name: str, node: Node) -> Node:
    """Return the mapping that a word alone is short for, another value as it is.

    >>> unfolded("ARGS", Scalar("equals", "equals")).keys()
    dict_keys(['style'])
    """
    is_short = name == "ARGS" and isinstance(node, Scalar) and node.value is not None
    return {"style": node} if is_short else node


def _resources(name: str, entry: Entry, _: Environment) -> tuple[Hparam, ...]:
    return tuple(_resource(name, key, node, entry) for key, node in _items(entry).items())


def _resource(name: str, key: str, node: Node, entry: Entry) -> Hparam:
    if isinstance(node, Scalar):
        return Hparam(key, node.value, node.text)
    if isinstance(node, list) and all(isinstance(item, Scalar) for item in node):
        scalars = [item for item in node if isinstance(item, Scalar)]
        values: tuple[Value, ...] = tuple(item.value for item in scalars)
        return Hparam(key, values, tuple(item.text for item in scalars))
    raise SettingsError(f"{entry.origin}: {name}.{key} must be a value or a list of values")


def _paths(name: str, entry: Entry, environment: Environment) -> dict[str, Path]:
    paths = {}
    for key, node in _items(entry).items():
        paths[key] = PATH.decode(name, entry._replace(node=node), environment)
        if paths[key] is None:
            raise ValueError(f"{key} has no path")
    return paths


_VARIABLE_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _texts(name: str, entry: Entry, _: Environment) -> dict[str, str]:
    texts = {}
    for key, node in _items(entry).items():
        if not _VARIABLE_NAME.fullmatch(key):
            raise SettingsError(f"{entry.origin}: {name}: {key!r} can't name a variable")
        if not isinstance(node, Scalar) or "\0" in node.text:
            raise SettingsError(f"{entry.origin}: {name}.{key} must be one value")
        texts[key] = "" if node.value is None else node.text
    return texts


def _types(_name: str, entry: Entry, _: Environment) -> Mapping[str, HparamType]:
    from runx.sweeps.hparam_types import read  # not at start: few experiments have any

    return read(_items(entry), entry.at)


def _mapping_of(items: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": items}


RESOURCES = Kind(dict, "a mapping, as {gpu: 2, mem: 64}", _resources, _mapping_of(SCALARS), ())
PATHS = Kind(dict, "a mapping of names to paths", _paths, _mapping_of(PATH_SCHEMA), {})
TEXTS = Kind(dict, "a mapping of names to values", _texts, _mapping_of(SCALAR), {})
VALUES = Kind(
    dict,
    "a mapping, as {dropout: 0.0}",
    lambda _name, entry, _: plain(entry.node),
    {"type": ["object", "null"]},
    {},
)
ARGS = Kind(
    dict,
    "a style, or a mapping as {style: hydra}",
    lambda _name, entry, _: style_of(_items(entry), entry.at),
    {
        "anyOf": [{"type": ["object", "null"]}, {"enum": sorted(STYLES)}],
        "properties": {
            "style": {"enum": sorted(STYLES)},
            "list": {"enum": ["space", "comma", "repeat", "json", "python"]},
            "bool": {"enum": ["flag", "value", "no-flag"]},
            "none": {"enum": ["omit", "value"]},
            "format": {"enum": ["yaml", "json", "toml"]},
            "prefix": SCALAR,
            "split": {"enum": [True, False]},
        },
        "propertyNames": {"enum": list(Style._fields)},
    },
    DASHES,
)
HPARAMS = Kind(
    (Scalar, list, dict),
    "a mapping, or a list of mappings",
    lambda _name, entry, _: entry.node,
    {"$ref": "#/$defs/hparams"},
)
SWEEPS = Kind(
    dict,
    "a mapping of names to hyperparameters, as {seeds: {seed: {repeat: 3}}}",
    lambda _name, entry, _: entry.node,
    _mapping_of({"anyOf": [{"$ref": "#/$defs/grid"}, {"type": "string", "pattern": ":"}]}),
    {},
)
_TYPE = {"enum": ["bool", "float", "int", "str"]}
_TYPE_OR_LIST = {"anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1, "maxItems": 1}]}
TYPES = Kind(
    dict,
    "a mapping of names to types, as {lr: {type: float, min: 0}}",
    _types,
    _mapping_of(
        {
            "anyOf": [
                *_TYPE_OR_LIST["anyOf"],
                {
                    "type": "object",
                    "minProperties": 1,
                    "properties": {
                        "type": _TYPE_OR_LIST,
                        "min": {"type": ["number", "null"]},
                        "max": {"type": ["number", "null"]},
                        "choices": {"type": "array", "minItems": 1},
                        "nullable": {"type": "boolean"},
                        "help": SCALAR,
                    },
                    "additionalProperties": False,
                },
            ]
        }
    ),
    {},
)
