"""CONFIG: the training script's own configuration, as defaults of hyperparameters."""

from __future__ import annotations

from pathlib import Path

from runx.errors import SettingsError
from runx.language.yamltext import Document, read
from runx.sweeps.values import Node


def defaults(path: Path, where: str) -> dict[str, Node]:
    """Read a script's YAML: each leaf a hyperparameter with a dotted name, a list one value."""
    if not path.is_file():
        raise SettingsError(f"{where}: CONFIG: {path}: no such file")
    document = read(path)
    return leaves(document)


def leaves(document: Document) -> dict[str, Node]:
    """Give the leaves of a configuration by their dotted names.

    >>> from runx.language.yamltext import parse
    >>> found = leaves(parse("optimizer: {lr: 0.1, betas: [0.9, 0.99]}", "config.yaml"))
    >>> list(found), len(found["optimizer.betas"])
    (['optimizer.lr', 'optimizer.betas'], 1)
    """
    found: dict[str, Node] = {}

    def collect(tree: dict[str, Node], path: tuple[str, ...]) -> None:
        for key, node in tree.items():
            name = ".".join((*path, key))
            if name in found:
                raise SettingsError(f"{document.at(*path, key)}: {name} is given twice; keep one")
            if isinstance(node, dict):
                collect(node, (*path, key))
            else:
                found[name] = [node] if isinstance(node, list) else node

    collect(document.tree, ())
    return found
