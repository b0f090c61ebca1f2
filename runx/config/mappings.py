"""The kinds of settings that may be mappings: how each is read, and its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runx.config.kinds import (
    PATH,
    PATH_SCHEMA,
    SCALAR,
    SCALARS,
    WORDS,
    Entry,
    Environment,
    Kind,
    Schema,
)
from runx.errors import SettingsError
from runx.rundir.styles import DASHES, STYLES, Style, style_of
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml import plain

if TYPE_CHECKING:
    from runx.farms.resources import Limit
    from runx.rundir.steps import When
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


_LICENCE = re.compile(r"\w[\w.@-]{0,99}", re.ASCII)
_COUNTED = ("gpus", "cpus", "mem")


def _limits(name: str, entry: Entry, _: Environment) -> dict[str, Limit]:
    """Read LIMITS: how much of each resource all runs may have on this host."""
    from runx.farms.resources import PORTABLE, check_spelling, limit_of, portable_name

    limits = {}
    for key, node in _items(entry).items():
        place = entry.at(key)
        word = portable_name(key)
        if (word in PORTABLE and word not in _COUNTED) or not _LICENCE.fullmatch(key):
            raise SettingsError(
                f"{place}: {name}: {key} can't be counted; name one of {', '.join(_COUNTED)},"
                " or another key of RESOURCES, of letters, digits and _.@-"
            )
        if not isinstance(node, Scalar):
            raise SettingsError(f"{place}: {name}.{key} must be one value")
        if word not in PORTABLE:
            check_spelling(key, f"{place}: {name}")
        if node.value is not None:
            limits[word] = limit_of(word, node.text, place, f"{place}: {name}")
    return limits


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


def _after(name: str, entry: Entry, environment: Environment) -> dict[str, When]:
    if not isinstance(entry.node, dict):
        names: tuple[str, ...] = WORDS.read(name, entry, environment)
        return dict.fromkeys(names, "done")
    after: dict[str, When] = {}
    for other, node in entry.node.items():
        text = node.text.strip() if isinstance(node, Scalar) else ""
        if text not in ("done", "ended"):
            raise SettingsError(f"{entry.at(other)}: {name}: {other} must be done or ended")
        after[other] = "done" if text == "done" else "ended"
    return after


def _mapping_of(items: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": items}


LIMITS = Kind(
    dict,
    "a mapping, as {licences: 2, mem: 64G}",
    _limits,
    _mapping_of({"type": ["string", "integer", "null"]}),
    {},
)
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
_NAMES = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR, "minItems": 1}]}
_SHELL_KEYS = ("SETUP", "TEARDOWN", "WRAP", "LAUNCH", "ENV")
STEP_KEYS = ("CMD", "AFTER", "PER", "RESOURCES", "FARM", "REQUEUE", *_SHELL_KEYS, "CODE")
"""What a step of STEPS may have: keys of its own, and settings that outweigh those of all steps."""
_WHEN = {"type": "object", "additionalProperties": {"enum": ["done", "ended"]}}
AFTER = Kind(
    (Scalar, list, dict),
    "a name, a list of names, or as {other: ended}",
    _after,
    {"anyOf": [*_NAMES["anyOf"], {"type": "null"}, _WHEN]},
    {},
)
STEPS = Kind(
    (Scalar, dict),
    "a mapping of steps, as {train: {CMD: python train.py {args}}}, or steps.py:function",
    lambda _name, entry, _: entry.node,
    {
        "anyOf": [
            {"type": "string", "pattern": ":"},
            _mapping_of(
                {
                    "type": "object",
                    "properties": {
                        **{key: {"$ref": f"#/properties/{key}"} for key in STEP_KEYS},
                        "AFTER": {"anyOf": [*_NAMES["anyOf"], _WHEN]},
                        "PER": {
                            "anyOf": [
                                *_NAMES["anyOf"],
                                {
                                    "type": "object",
                                    "properties": {"without": _NAMES},
                                    "required": ["without"],
                                    "additionalProperties": False,
                                },
                            ]
                        },
                        "CODE": SCALARS,
                    },
                    "required": ["CMD"],
                    "additionalProperties": False,
                }
            ),
        ]
    },
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
