"""The configuration file of a run: that of the script (CONFIG) with a point's values, or a new one.

A value of CONFIG that nobody sweeps or overrides stands as in the user's file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.errors import SettingsError, SweepError
from runx.rundir.configtoml import edited_toml, node_of, parsed
from runx.rundir.configyaml import yaml_text, yaml_value
from runx.rundir.logdir import Logdir
from runx.rundir.partedit import JSON, YAML, Language, clash, edited, holds_mapping
from runx.rundir.parts import Part, line_of, meaning, members, name_of
from runx.rundir.styles import FILE, Style
from runx.sweeps.scalars import quoted, scalar, tagged
from runx.sweeps.values import Node, Point, Scalar
from runx.sweeps.yaml_nodes import PLAIN, QUOTED, TAG

_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}

_LANGUAGES: Mapping[str, Language] = {"yaml": YAML, "json": JSON}

_BOM = "\ufeff"

_DEFAULTS = "defaults"

_GONE = object()

Keys: TypeAlias = "tuple[str | int, ...]"
"""The keys, and the indexes of lists, that lead to a value."""


class ConfigFile(NamedTuple):
    """The file that a script reads its configuration from.

    ``leaves`` are its values by their dotted names, a list one value, and ``paths`` the keys that
    lead to each. A list with mappings in it has its values by their indexes. ``removed`` are the
    names that are to be left out. ``groups`` are those of Hydra's list of defaults, by their names;
    None where the file has no such list.
    """

    source: str
    format: str
    text: str
    leaves: Mapping[str, Node]
    paths: Mapping[str, Keys]
    groups: Mapping[str, Node] | None = None
    removed: frozenset[str] = frozenset()


def read_config(path: Path, where: str) -> ConfigFile:
    """Read a script's own configuration; what its name ends in says whether it is JSON or TOML.

    Raises:
        SettingsError: The file is missing or malformed, or gives a name twice.
    """
    if not path.is_file():
        raise SettingsError(f"{where}: CONFIG: {path}: no such file")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{where}: CONFIG: {path}: can't be read: {error.strerror}") from error
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None
    return config_file(text, str(path), _FORMATS.get(path.suffix.lower(), "yaml"))


def config_file(text: str, source: str, format: str = "yaml") -> ConfigFile:
    """Return the configuration that a text is.

    >>> config = config_file("optimizer: {lr: 0.1}\\ncallbacks: [{name: a}]\\n", "config.yaml")
    >>> list(config.leaves)
    ['optimizer.lr', 'callbacks.0.name']
    """
    plain = text.removeprefix(_BOM)
    groups = None
    if format == "toml":
        found = _toml_leaves(node_of(parsed(plain, source)), ())
    else:
        part = _read(plain, source, format)
        if part.kind != "mapping":
            raise SettingsError(f"{source}:1: not a mapping; CONFIG takes one at its top level")
        found = _leaves(part, (), plain)
        groups = _groups(part) if format == "yaml" else None
    leaves: dict[str, Node] = {}
    paths: dict[str, Keys] = {}
    for path, node, line in found:
        if groups is not None and path[0] == _DEFAULTS:
            continue
        name = ".".join(map(str, path))
        if name in leaves:
            raise SettingsError(f"{source}:{line}: {name} is given twice; keep one")
        leaves[name], paths[name] = node, path
    return ConfigFile(source, format, text, leaves, paths, groups)


def config_tree(config: ConfigFile) -> dict[str, Any]:
    """Return what a configuration holds, as nested mappings and lists of values.

    >>> config_tree(config_file("optimizer: {lr: 1e-3, betas: [0.9, no]}\\n", "config.yaml"))
    {'optimizer': {'lr': 0.001, 'betas': [0.9, 'no']}}
    """
    plain = config.text.removeprefix(_BOM)
    if config.format == "toml":
        return dict(parsed(plain, config.source).unwrap())
    return dict(_tree(_read(plain, config.source, config.format)))


def _tree(part: Part) -> Any:
    part = part.target or part
    if part.kind == "mapping":
        return {key.text: _tree(value) for key, value in members(part) if name_of(key)}
    if part.kind == "sequence":
        return [_tree(value) for _, value in part.items]
    node = _node(part)
    assert isinstance(node, Scalar)
    return node.value


def config_text(
    point: Point, logdir: Logdir, style: Style = FILE, base: ConfigFile | None = None
) -> str:
    """Return the file that a script reads: ``base`` with a point's values, or the values alone.

    Raises:
        SweepError: The file can't hold a value, or it would be both a value and a mapping.

    >>> from runx.sweeps.values import Hparam
    >>> point = Point((Hparam("lr", 1e-05, "1e-5"), Hparam("a", "no", "no")))
    >>> print(config_text(point, Logdir.at("/x"), base=config_file("a: no  # text\\n", "x")))
    a: "no"  # text
    lr: 1.0e-05
    <BLANKLINE>
    """
    values = _values(point, logdir, style, base)
    if base is None:
        return _written(values, style.format)
    plain = base.text.removeprefix(_BOM)
    return base.text[: len(base.text) - len(plain)] + _merged(base, plain, values)


def check_configs(points: Iterable[Point], style: Style, base: ConfigFile | None) -> None:
    """Raise a SweepError where the file of some point can't hold its values.

    What of a file changes, and how, depends on the names alone, but in TOML.
    """
    checked = set()
    for point in points:
        values = _values(point, Logdir.at("/"), style, base)
        if tuple(values) not in checked or (base is not None and base.format == "toml"):
            config_text(point, Logdir.at("/"), style, base)
            checked.add(tuple(values))


def _values(
    point: Point, logdir: Logdir, style: Style, base: ConfigFile | None
) -> dict[tuple[str, ...], Any]:
    """Return the values of a point that a file is to hold, by the keys that lead to them."""
    paths = {} if base is None else base.paths
    values: dict[tuple[str, ...], Any] = {}
    for hparam in point.hparams:
        if hparam.is_default or (hparam.value is None and style.none == "omit"):
            continue
        path = tuple(map(str, paths.get(hparam.name) or hparam.name.split(".")))
        values[path] = logdir.in_value(hparam.value)
        try:
            json.dumps([path, values[path]], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SweepError(
                f"{hparam.name} holds bytes that aren't UTF-8; no configuration file can"
            ) from None
    for name in base.removed & paths.keys() if base else ():
        values[tuple(map(str, paths[name]))] = _GONE
    return values


def _merged(base: ConfigFile, text: str, values: Mapping[tuple[str, ...], Any]) -> str:
    if base.format == "toml":
        changes = {path: None if it is _GONE else it for path, it in values.items()}
        return edited_toml(text, changes, base.source)
    language = _LANGUAGES[base.format]
    spell = json.dumps if base.format == "json" else yaml_value
    spelt = {path: None if it is _GONE else spell(it) for path, it in values.items()}
    return edited(text, _read(text, base.source, base.format), nested(spelt), language, base.source)


@lru_cache(maxsize=4)
def _read(text: str, source: str, format: str) -> Part:
    return _LANGUAGES[format].read(text, source)


def nested(values: Mapping[tuple[str, ...], Any]) -> Any:
    """Return values by their paths as nested mappings. Raise a SweepError if one is both.

    >>> nested({("optimizer", "lr"): 0.1, ("seed",): 1})
    {'optimizer': {'lr': 0.1}, 'seed': 1}
    """
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *above, last = path
        mapping = tree
        for key in above:
            mapping = mapping.setdefault(key, {})
            if not isinstance(mapping, dict):
                raise clash(".".join(path))
        if last in mapping:
            raise clash(".".join(path))
        mapping[last] = value
    return tree


def _written(values: Mapping[tuple[str, ...], Any], format: str) -> str:
    tree = nested(values)
    if format == "json":
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    if format == "toml":
        return edited_toml("", values, "ARGS: format: toml")
    return yaml_text(tree)


def _leaves(part: Part, path: Keys, text: str) -> Iterator[tuple[Keys, Node, int]]:
    """Yield the path, the value and the line of each leaf."""
    part = part.target or part
    if part.kind == "mapping":
        for key, value in members(part):
            if name_of(key):
                yield from _leaves(value, (*path, key.text), text)
    elif holds_mapping(meaning(part)):
        for index, (_, value) in enumerate(part.items):
            yield from _leaves(value, (*path, index), text)
    else:
        node = _node(part)
        yield path, [node] if isinstance(node, list) else node, line_of(text, part.start)


def _node(part: Part) -> Node:
    part = part.target or part
    if part.kind == "sequence":
        return [_node(value) for _, value in part.items]
    if part.tag == PLAIN:
        return scalar(part.text)
    known = None if part.tag == QUOTED else tagged(part.text, part.tag.removeprefix(TAG))
    return known or quoted(part.text)


def _toml_leaves(node: Node, path: Keys) -> Iterator[tuple[Keys, Node, int]]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _toml_leaves(child, (*path, key))
    elif isinstance(node, list) and _has_table(node):
        for index, child in enumerate(node):
            yield from _toml_leaves(child, (*path, index))
    else:
        yield path, [node] if isinstance(node, list) else node, 1


def _has_table(node: Node) -> bool:
    return isinstance(node, dict) or (isinstance(node, list) and any(map(_has_table, node)))


def _groups(part: Part) -> dict[str, Node] | None:
    """Return the groups of Hydra's list of defaults, as ``- model: small`` at the top of a file."""
    listed = [value.target or value for key, value in members(part) if key.text == _DEFAULTS]
    if not listed or listed[0].kind != "sequence":
        return None
    groups: dict[str, Node] = {}
    for item in (value.target or value for _, value in listed[0].items):
        for key, value in members(item) if item.kind == "mapping" else ():
            if not key.text.startswith("override "):
                node = _node(value)
                name = key.text.removeprefix("optional ")
                groups[name] = [node] if isinstance(node, list) else node
    return groups
