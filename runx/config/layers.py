"""Layers of settings, one for each source, and how they are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.sweeps.merge import deeply, laid_over
from runx.sweeps.values import Node


class Layer(NamedTuple):
    """The settings of one source, those of each farm that it describes, and the files it is of."""

    entries: Mapping[str, Entry]
    farms: Mapping[str, Mapping[str, Entry]] = {}
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def merged(layers: Iterable[Layer], farm: str, here: bool = False) -> dict[str, Entry]:
    """Return each setting of the strongest source that has it; mappings are merged key by key.

    In one source the section of ``farm`` is stronger than what stands beside it. For runs ``here``
    it counts without the settings of the farm's jobs.
    """
    result: dict[str, Entry] = {}
    for layer in layers:
        section = layer.farms.get(farm, {})
        if here:
            section = {name: section[name] for name in section if KEYS[name].scope != "jobs"}
        for entries in (section, layer.entries):
            for name, entry in entries.items():
                stronger = result.get(name)
                result[name] = _merged(name, stronger, entry) if stronger else entry
    return result


def extended(stronger: Layer, weaker: Layer) -> Layer:
    """Return a file merged with one that it extends, HPARAMS key by key, too."""
    farms = {
        name: _extended_entries(stronger.farms.get(name, {}), weaker.farms.get(name, {}))
        for name in {**weaker.farms, **stronger.farms}
    }
    return Layer(
        _extended_entries(stronger.entries, weaker.entries),
        farms,
        (*stronger.warnings, *weaker.warnings),
        (*stronger.files, *weaker.files),
    )


def _extended_entries(
    stronger: Mapping[str, Entry], weaker: Mapping[str, Entry]
) -> dict[str, Entry]:
    both: dict[str, Entry] = {}
    for name in stronger.keys() & weaker:
        over, under = stronger[name], weaker[name]
        if name == "HPARAMS":
            node = laid_over(over.node, under.node)
            both[name] = Entry(node, over.origin, over.base, _at(over, under))
        else:
            both[name] = _merged(name, over, under)
    return {**weaker, **stronger, **both}


def _merged(name: str, stronger: Entry, weaker: Entry) -> Entry:
    """Return the stronger of two entries, laid over the other where both are mappings."""
    if name == "STEPS":
        node = deeply(stronger.node, weaker.node)
        origin = f"{stronger.origin}, {weaker.origin}"
        return Entry(node, origin, weaker.base, _at(stronger, weaker, None))
    node = KEYS[name].kind.laid_over(stronger, weaker)
    if node == stronger.node:
        return stronger
    if not stronger.node:
        return weaker
    origin = f"{stronger.origin}, {weaker.origin}"
    return Entry(node, origin, stronger.base, _at(stronger, weaker))


def _at(stronger: Entry, weaker: Entry, depth: int | None = 1) -> Callable[..., str]:
    """Return the ``at`` of two mappings, merged to a ``depth``: the stronger's for what it has."""

    def at(*path: str | int) -> str:
        node: Node | None = stronger.node
        for key in path[:depth]:
            node = node.get(str(key)) if isinstance(node, dict) else node
        return (stronger if isinstance(stronger.node, dict) and node is not None else weaker).at(
            *path
        )

    return at
