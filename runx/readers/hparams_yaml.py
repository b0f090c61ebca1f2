"""hparams.yaml, in which Lightning's loggers keep the hyperparameters of a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.readers.base import Warn
from runx.readers.content import ContentError, yaml_object

HPARAMS = "hparams.yaml"


def read_hparams(path: str, warn: Warn) -> dict[str, Any]:
    """Return the hyperparameters in a file; what only Python can make of YAML makes no object."""
    try:
        return yaml_object(path)
    except ContentError as error:
        warn(f"{error}: left out")
        return {}


def with_found(hparams: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters with those that were found besides, by names they don't have.

    >>> with_found({"model.lr": 1}, {"lr": 1, "width": 8})
    {'model.lr': 1, 'width': 8}
    """
    known = {part for name in hparams for part in (name, name.rpartition(".")[2])}
    more = {
        name: value
        for name, value in found.items()
        if value is not None and known.isdisjoint({name, name.rpartition(".")[2]})
    }
    return {**hparams, **more}
