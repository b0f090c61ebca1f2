"""JSON Schemas of an experiment and of a .runx file, for editors, made of the table of settings."""

from __future__ import annotations

from runx.config.keys import KEYS, Key
from runx.config.kinds import SCALAR, SCALARS, Schema
from runx.sweeps.axes import CASES, RESOURCE, SKIP, TAG, ZIP
from runx.sweeps.operators import DRAWS, OPERATORS

DRAFT = "https://json-schema.org/draft/2020-12/schema"


FILES = ("experiment", "runx")
"""What there is a schema of."""


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
    described = {"description": f"{key.meaning[0].upper()}{key.meaning[1:]}."}
    default = {} if key.default is None else {"default": key.default}
    return {**described, **default, **key.kind.schema}


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
        "axis": {"anyOf": [SCALAR, {**values, "minItems": 1}, _operator()]},
        "value": {"anyOf": [SCALAR, values]},
    }


def _grid(several: Schema) -> Schema:
    """Describe a mapping of hyperparameters to their axes."""
    axis = {"$ref": "#/$defs/axis"}
    return {
        "type": "object",
        "properties": {
            TAG: {**axis, "description": "What the run's name begins with; {lr} is its lr."},
            SKIP: {**SCALARS, "description": "true, or expressions: what is left out."},
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
