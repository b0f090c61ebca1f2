"""JSON Schemas of an experiment and of a .runx file, for editors: made of what runx reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.cmdline.styles import STYLES, Style
from runx.settings.keys import KEYS, Key
from runx.sweeps.axes import CASES, RESOURCE, SKIP, TAG, ZIP
from runx.sweeps.draws import DRAWS
from runx.sweeps.operators import OPERATORS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILES = ("experiment", "runx")
"""What there is a schema of."""

Schema = dict[str, Any]

_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
_SCALARS: Schema = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}

_KINDS: Mapping[str, Schema] = {
    "text": _TEXT,
    "name": _TEXT,
    "path": {"type": ["string", "null"]},
    "search": {"type": ["string", "null"]},
    "words": _SCALARS,
    "lines": _SCALARS,
    "switch": {"enum": [True, False, "true", "false", 0, 1, None]},
    "size": {"type": ["string", "integer", "null"]},
    "mode": {"type": ["string", "integer", "null"], "pattern": "^(0o?)?[0-7]?7[0-7][0-7]$"},
    "number": {"type": ["integer", "null"], "minimum": 0},
    "count": {"type": ["integer", "null"], "minimum": 1},
    "seed": {"type": ["integer", "string", "null"]},
    "resources": {"type": ["object", "null"], "additionalProperties": _SCALARS},
    "paths": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
    "texts": {"type": ["object", "null"], "additionalProperties": _SCALAR},
    "values": {"type": ["object", "null"]},
    "requeue": {
        "anyOf": [
            {"type": ["boolean", "null"]},
            {
                "type": "object",
                "properties": {
                    "max": {"type": "integer", "minimum": 0},
                    "signal": {"type": "string"},
                    "forward": {"enum": [True, False, "note"]},
                },
                "additionalProperties": False,
            },
        ]
    },
    "args": {
        "type": ["object", "null"],
        "properties": {
            "style": {"enum": sorted(STYLES)},
            "list": {"enum": ["space", "comma", "repeat", "json"]},
            "bool": {"enum": ["flag", "value", "no-flag"]},
            "prefix": _TEXT,
        },
        "propertyNames": {"enum": list(Style._fields)},
    },
    "hparams": {"$ref": "#/$defs/hparams"},
    "sweeps": {
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/grid"},
    },
}


def schema(of: str) -> Schema:
    """Describe an experiment, or a .runx file.

    >>> schema("experiment")["properties"]["CMD"]["description"]
    "The training command, in the shell's own language."
    """
    properties = {name: _property(key) for name, key in KEYS.items()}
    made: Schema = {
        "$schema": DRAFT,
        "title": f"runx: {'an experiment' if of == 'experiment' else '.runx'}",
        "type": "object",
        "properties": properties,
        "additionalProperties": {"$ref": "#/$defs/farm"},
        "$defs": {**_language(), "farm": _farm()},
    }
    # A base may say the rest; functions, or the script's own file, the hyperparameters.
    sources = [{"required": [name]} for name in ("HPARAMS", "HPARAMS_FROM", "CONFIG")]
    whole = [{"required": ["EXTENDS"]}, {"required": ["CMD"], "anyOf": sources}]
    return {**made, "anyOf": whole} if of == "experiment" else made


def _property(key: Key) -> Schema:
    told = dict(_KINDS[key.kind]) if key.kind != "choice" else {"enum": [*key.choices, None]}
    described = {"description": f"{key.meaning[0].upper()}{key.meaning[1:]}."}
    return {**described, **({"default": key.default} if key.default else {}), **told}


def _farm() -> Schema:
    """Describe the section of a farm: an object that holds some key."""
    return {
        "type": "object",
        "properties": {name: {"$ref": f"#/properties/{name}"} for name in KEYS},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _language() -> Schema:
    """Describe HPARAMS: grids of axes, zips and cases."""
    several = {"type": "array", "items": {"$ref": "#/$defs/grid"}, "minItems": 1}
    values = {"type": "array", "items": {"$ref": "#/$defs/value"}}
    return {
        "hparams": {"anyOf": [{"$ref": "#/$defs/grid"}, several, {"type": "null"}]},
        "grid": _grid(several),
        "axis": {"anyOf": [_SCALAR, {**values, "minItems": 1}, _operator()]},
        "value": {"anyOf": [_SCALAR, values]},
    }


def _grid(several: Schema) -> Schema:
    """Describe a mapping of hyperparameters to their axes."""
    axis = {"$ref": "#/$defs/axis"}
    return {
        "type": "object",
        "properties": {
            TAG: {**axis, "description": "What the run's name begins with; {lr} is its lr."},
            SKIP: {**_SCALARS, "description": "true, or expressions: what is left out."},
            ZIP: {
                "description": "Lists whose values go together.",
                "anyOf": [_zip(), {"type": "array", "items": _zip()}],
            },
            CASES: {"description": "Points with keys of their own.", **several},
        },
        "patternProperties": {f"^{RESOURCE.replace('.', '[.]')}": axis},
        "propertyNames": {"not": {"pattern": "^RUNX[.](?!(TAG|SKIP|ZIP|CASES)$)"}},
        "additionalProperties": axis,
    }


def _operator() -> Schema:
    """Describe an axis that an operator makes: a mapping of its name."""
    return {
        "type": "object",
        "properties": {name: {} for name in sorted([*OPERATORS, *DRAWS])},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _zip() -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/axis"}}
