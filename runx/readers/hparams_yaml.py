"""hparams.yaml, in which Lightning's loggers keep the hyperparameters of a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HPARAMS = "hparams.yaml"


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
