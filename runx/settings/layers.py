"""Where settings come from, strongest first, and how they become one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.language.yamltext import Document, parse, read
from runx.settings.keys import KEYS, MAPPINGS, unknown
from runx.sweeps.values import Node, Scalar


class Entry(NamedTuple):
    """One setting: its value as written, who said it, and what a relative path in it starts from.

    ``at`` says where a part of the value stands, named by its keys and indices.
    """

    node: Node
    origin: str
    base: Path
    at: Callable[..., str] = str


class Layer(NamedTuple):
    """The settings of one source, and the farms it describes."""

    entries: Mapping[str, Entry]
    farms: Mapping[str, Mapping[str, Entry]]
    warnings: tuple[str, ...] = ()


def from_file(path: Path, may_be_empty: bool = False) -> Layer:
    """Read an experiment or .runx file; a key nobody knows is an error that names the nearest."""
    return layer_of(read(path, may_be_empty), path)


def layer_of(document: Document, path: Path) -> Layer:
    """Make a layer of what a file says."""
    base = path.absolute().parent
    entries: dict[str, Entry] = {}
    farms: dict[str, dict[str, Entry]] = {}
    for key, node in document.tree.items():
        if key in KEYS:
            entries[key] = _entry(document, base, key)
        elif _is_farm(node):
            farms[key] = _farm(document, key, base)
        else:
            inner = node if isinstance(node, dict) else ()
            raise SettingsError(f"{document.at(key)}: {unknown(key, inner, farms)}")
    return Layer(entries, farms, tuple(document.warnings))


def _is_farm(node: Node) -> bool:
    return isinstance(node, dict) and any(key in KEYS for key in node)


def _farm(document: Document, name: str, base: Path) -> dict[str, Entry]:
    section = document.tree[name]
    assert isinstance(section, dict)
    for key in section:
        if key not in KEYS:
            raise SettingsError(
                f"{document.at(name, key)}: unknown key {key} in farm {name}; {remedy(key, KEYS)}"
            )
    return {key: _entry(document, base, name, key) for key in section}


def _entry(document: Document, base: Path, *path: str) -> Entry:
    node: Node = document.tree
    for key in path:
        assert isinstance(node, dict)
        node = node[key]
    at = functools.partial(document.at, *path)
    return Entry(_anchored(path[-1], node, base), at(), base, at)


def _anchored(key: str, node: Node, base: Path) -> Node:
    # Paths in a mapping may come from several files once it is merged: each keeps its own start.
    if KEYS[key].kind != "paths" or not isinstance(node, dict):
        return node
    return {
        name: Scalar(text := anchored(path.text, base), text, plain=False)
        if isinstance(path, Scalar)
        else path
        for name, path in node.items()
    }


def anchored(path: str, base: Path) -> str:
    """Make a relative path start from a folder; ~ and $VAR are left to be expanded.

    >>> anchored("data", Path("/project")), anchored("~/data", Path("/project"))
    ('/project/data', '~/data')
    """
    return path if path.startswith(("~", "$", "/")) else str(base / path)


def spoken(text: str, origin: str, cwd: Path) -> Entry:
    """Make an entry of a value that was given outside any file.

    >>> spoken("/logs", "--logroot", Path("/")).node
    Scalar(value='/logs', text='/logs', plain=False)
    """
    if not text.startswith(("{", "[")):
        return said(Scalar(text, text, plain=False), origin, cwd)
    return said(parse(f"it: {text}", origin).tree["it"], origin, cwd)


def said(node: Node, origin: str, base: Path) -> Entry:
    """Make an entry of a value all of which stands in one place."""
    return Entry(node, origin, base, lambda *_: origin)


def defaults(cwd: Path) -> Layer:
    """Give what holds where nobody says anything."""
    entries = {
        name: spoken(key.default, "default", cwd) for name, key in KEYS.items() if key.default
    }
    return Layer(entries, {})


def merged(layers: Iterable[Layer], farm: str | None) -> dict[str, Entry]:
    """Let the strongest source of each key win; in one source a farm's section is the stronger.

    Mappings are merged key by key.
    """
    result: dict[str, Entry] = {}
    for layer in layers:
        for entries in (layer.farms.get(farm or "", {}), layer.entries):
            for name, entry in entries.items():
                stronger = result.get(name)
                if stronger is None:
                    result[name] = entry
                elif KEYS[name].kind in MAPPINGS:
                    result[name] = over(stronger, entry)
    return result


def over(stronger: Entry, weaker: Entry) -> Entry:
    """Lay a mapping over another, key by key."""
    if not (isinstance(stronger.node, dict) and isinstance(weaker.node, dict)):
        return stronger
    if weaker.node.keys() <= stronger.node.keys():
        return stronger
    if not stronger.node:
        return weaker
    node = {**weaker.node, **stronger.node}
    origin = f"{stronger.origin}, {weaker.origin}"
    return Entry(node, origin, stronger.base, whichever(stronger, weaker))


def whichever(stronger: Entry, weaker: Entry) -> Callable[..., str]:
    """Say where a part of two mappings stands: in the stronger if that has it."""

    def at(*path: str | int) -> str:
        own = isinstance(stronger.node, dict) and (not path or path[0] in stronger.node)
        return (stronger if own else weaker).at(*path)

    return at


def project_file(cwd: Path, start: Path | None = None) -> Path | None:
    """Find .runx here, or else in the nearest folder going up from the experiment's.

    A folder of that name is never taken for it.
    """
    here = cwd / ".runx"
    if here.is_file():
        return here
    first = (start or cwd).absolute()
    for folder in (first, *first.parents):
        if (folder / ".runx").is_file():
            return folder / ".runx"
    return None


def user_file(environment: Mapping[str, str]) -> Path | None:
    """Find the user's own settings, $XDG_CONFIG_HOME/runx.yml."""
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    folder = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    file = Path(folder) / "runx.yml"
    try:
        return file if file.is_file() else None
    except PermissionError:
        # As under another name with one's own environment, which sudo may keep.
        raise SettingsError(
            f"{file}: you may not look there; set XDG_CONFIG_HOME, or HOME, to a folder of yours"
        ) from None
