"""hparams.yaml, in which Lightning's loggers keep the hyperparameters of a module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runx.readers.base import Warn

HPARAMS = "hparams.yaml"


def read_hparams(path: str, warn: Warn) -> dict[str, Any]:
    """Return the hyperparameters in a file, without what only Python can make of YAML."""
    import yaml

    class Loader(yaml.SafeLoader):
        """The safe loader, which makes nothing of Python's own objects but lists of tuples."""

    def plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
        return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", plain)
    try:
        content = yaml.load(Path(path).read_bytes(), Loader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        warn(f"{path}: left out: {' '.join(str(error).split())}")
        return {}
    return content if isinstance(content, dict) else {}


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
