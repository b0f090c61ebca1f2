"""A file and all that it extends, as one layer of settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from runx.language.yamltext import Document, read
from runx.settings.extending import EXTENDS, Base, bases
from runx.settings.keys import KEYS, MAPPINGS
from runx.settings.layers import Entry, Layer, layer_of, over, whichever
from runx.sweeps.layering import laid_over
from runx.sweeps.values import Node


class Told(NamedTuple):
    """What a file says with all that stands behind it, and the files that were read for it."""

    layer: Layer
    files: tuple[Path, ...]


def told(path: Path, may_be_empty: bool = False) -> Told:
    """Read a file and the files that it extends; what it says itself is the stronger."""
    document = read(path, may_be_empty)
    found = bases(path) if EXTENDS in document.tree else [Base(path, document)]
    layers = [layer_of(each.document, each.path) for each in found]
    return Told(reduce(_joined, layers), tuple(each.path for each in found))


def told_here(tree: Mapping[str, Node], cwd: Path) -> Told:
    """Take what a caller in Python says for what a file would say."""
    return Told(layer_of(Document("Python", dict(tree), {}), cwd / "Python"), ())


def _joined(stronger: Layer, weaker: Layer) -> Layer:
    farms = {
        name: _merged(stronger.farms.get(name, {}), weaker.farms.get(name, {}))
        for name in {**weaker.farms, **stronger.farms}
    }
    entries = _merged(stronger.entries, weaker.entries)
    return Layer(entries, farms, (*stronger.warnings, *weaker.warnings))


def _merged(stronger: Mapping[str, Entry], weaker: Mapping[str, Entry]) -> dict[str, Entry]:
    both = {name: _laid(name, stronger[name], weaker[name]) for name in stronger.keys() & weaker}
    return {**weaker, **stronger, **both}


def _laid(name: str, stronger: Entry, weaker: Entry) -> Entry:
    if KEYS[name].kind == "hparams":
        node = laid_over(stronger.node, weaker.node)
        return Entry(node, stronger.origin, stronger.base, whichever(stronger, weaker))
    return over(stronger, weaker) if KEYS[name].kind in MAPPINGS else stronger
