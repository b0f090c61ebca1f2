"""EXTENDS: the files that an experiment shares its settings with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.language.yamltext import Document, read
from runx.sweeps.values import Node, Scalar

EXTENDS = "EXTENDS"


class Base(NamedTuple):
    """A file, what it says, and the folder that relative paths in it start from."""

    path: Path
    document: Document


def bases(path: Path) -> list[Base]:
    """Read a file and all that it extends, the strongest first: itself, then its last base.

    A base may extend others; one that is reached twice counts where it is stronger.
    """
    found: dict[Path, Base] = {}
    _collect(path, path.absolute(), (), found)
    return list(found.values())


def _collect(path: Path, absolute: Path, above: tuple[Path, ...], found: dict[Path, Base]) -> None:
    document = read(path)
    found.setdefault(absolute, Base(path, document))
    chain = (*above, absolute)
    for name, place in reversed(_named(document)):
        base = path.parent / Path(name).expanduser()
        # resolve() would follow links, and a link to a shared base stands for its own folder.
        target = _normal(base)
        if target in chain:
            circle = " extends ".join(each.name for each in (*chain[chain.index(target) :], target))
            raise SettingsError(f"{place}: {circle}; remove one")
        if not base.is_file():
            raise SettingsError(f"{place}: {EXTENDS}: {base}: no such file")
        if target not in found:
            _collect(base, target, chain, found)


def _normal(path: Path) -> Path:
    import os.path

    return Path(os.path.normpath(path.absolute()))


def _named(document: Document) -> list[tuple[str, str]]:
    """Give the files that a document extends, each with where it says so."""
    node: Node = document.tree.get(EXTENDS, [])
    items = node if isinstance(node, list) else [node]
    named = []
    for index, item in enumerate(items):
        place = document.at(EXTENDS, index)
        if not (isinstance(item, Scalar) and isinstance(item.value, str) and item.value):
            raise SettingsError(f"{place}: {EXTENDS} takes a file, or a list of files")
        named.append((item.value, place))
    return named
