"""The JSON Schemas of an experiment, of a .runx file and of what --json prints of runs."""

from __future__ import annotations

from runx.analysis import runjson
from runx.config.keys import KEYS, Key
from runx.config.kinds import SCALAR, SCALARS, Schema
from runx.config.sources import ANCHORS
from runx.sweeps.axes import ABLATE, CASES, RESERVED, RESOURCE, SKIP, TAG, ZIP
from runx.sweeps.operators import DRAWS, OPERATORS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WORDS = "|".join(name.removeprefix("RUNX.") for name in RESERVED)
FILES = ("experiment", "runx", "status")
"""What has a schema: the files that people write, and runs as JSON."""


def schema(of: str) -> Schema:
    """Return the schema of one of FILES.

    >>> schema("experiment")["properties"]["CMD"]["description"]
    "The training command, in the shell's own language."
    """
    if of == "status":
        return {"$schema": DRAFT, **runjson.schema()}
    properties = {name: _property(key) for name, key in KEYS.items()}
    common: Schema = {
        "$schema": DRAFT,
        "title": f"runx: {'an experiment' if of == 'experiment' else '.runx'}",
        "type": "object",
        "properties": properties,
        "patternProperties": {f"^{ANCHORS}": {}},
        "additionalProperties": {"$ref": "#/$defs/farm"},
        "$defs": {**_hparams(), "farm": _farm()},
    }
    if of != "experiment":
        return common
    # A base may have the rest; a function, or the script's own file, the hyperparameters.
    sources = [{"required": [name]} for name in ("HPARAMS", "HPARAMS_FROM", "CONFIG")]
    commands = [{"required": [name]} for name in ("CMD", "STEPS")]
    complete = [
        {"required": ["EXTENDS"]},
        {"allOf": [{"anyOf": commands}, {"anyOf": sources}]},
    ]
    return {**common, "anyOf": complete}


def _property(key: Key) -> Schema:
    description = {"description": f"{key.meaning[0].upper()}{key.meaning[1:]}."}
    default = {} if key.default is None else {"default": key.default}
    return {**description, **default, **key.kind.schema}


def _farm() -> Schema:
    """Return the schema of a farm's section: an object that has some key."""
    return {
        "type": "object",
        "properties": {name: {"$ref": f"#/properties/{name}"} for name in KEYS},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _hparams() -> Schema:
    """Return the definitions of HPARAMS: grids of axes, zips and cases."""
    grids = {"type": "array", "items": {"$ref": "#/$defs/grid"}, "minItems": 1}
    values = {"type": "array", "items": {"$ref": "#/$defs/value"}}
    return {
        "hparams": {"anyOf": [{"$ref": "#/$defs/grid"}, grids, {"type": "null"}]},
        "grid": _grid(grids),
        "axis": {"anyOf": [SCALAR, {**values, "minItems": 1}, _operator()]},
        "value": {"anyOf": [SCALAR, values]},
    }


def _grid(grids: Schema) -> Schema:
    """Return the schema of a mapping of hyperparameters to their axes."""
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
            CASES: {
                "description": "Points with keys of their own; several lists of them cross.",
                "anyOf": [grids, {"type": "array", "items": grids, "minItems": 1}],
            },
            ABLATE: {
                "description": "The baseline's values first; each other one is tried alone.",
                **_zip(),
            },
        },
        "patternProperties": {f"^{RESOURCE.replace('.', '[.]')}": axis},
        "propertyNames": {"not": {"pattern": f"^(RUNX[.](?!({_WORDS})$)|-)"}},
        "additionalProperties": axis,
    }


def _operator() -> Schema:
    """Return the schema of an axis that an operator makes: a mapping of the operator's name."""
    return {
        "type": "object",
        "properties": {name: {} for name in sorted([*OPERATORS, *DRAWS])},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _zip() -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/axis"}}
