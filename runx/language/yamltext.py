"""YAML files as people write them: typed values that keep their text, and the line of each.

PyYAML scans; nothing of it decides what a scalar means, and no Python object is ever built.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from runx.errors import SettingsError
from runx.language import scalars
from runx.language.yamlscan import PLAIN, QUOTED, TAG, compose, line_of
from runx.sweeps.values import Node, Scalar

_MOST_ALIASED = 100_000


class Document(NamedTuple):
    """A YAML mapping, and the line that each of its keys and items is on."""

    source: str
    tree: dict[str, Node]
    lines: Mapping[tuple[str | int, ...], int]
    warnings: tuple[str, ...] = ()

    def at(self, *path: str | int) -> str:
        """Say where a key or item stands, or the nearest thing around it that has a line.

        >>> parse("lr: 1\\nopt:\\n- a\\n- b\\n", "sweep.yml").at("opt", 1)
        'sweep.yml:4'
        """
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.source}:{self.lines[path[:length]]}"
        return self.source


def read(path: Path, may_be_empty: bool = False) -> Document:
    """Read a YAML file whose top level is a mapping."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; check the name") from None
    except IsADirectoryError:
        raise SettingsError(f"{path}: is a directory; name a YAML file") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None
    return parse(text, str(path), may_be_empty)


def parse(text: str, source: str, may_be_empty: bool = False) -> Document:
    """Parse YAML whose top level is a mapping.

    >>> parse("lr: [1e-3, 'no']", "sweep.yml").tree["lr"]
    [Scalar(value=0.001, text='1e-3', plain=True), Scalar(value='no', text='no', plain=False)]
    """
    root = compose(text, source)
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == PLAIN and not root.value):
        if may_be_empty:
            return Document(source, {}, {})
        raise SettingsError(f"{source}: is empty; write `KEY: value` lines, see docs/yaml.md")
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{source}:{line_of(root)}: not a mapping; write `KEY: value` lines")
    builder = _Builder(source)
    tree = builder.mapping(root, ())
    return Document(source, tree, builder.lines, tuple(builder.warnings))


def parse_value(text: str, source: str) -> Node:
    """Parse one YAML value, such as an override on the command line has.

    >>> parse_value("[1, on]", "command line")
    [Scalar(value=1, text='1', plain=True), Scalar(value='on', text='on', plain=True)]
    """
    root = compose(text, source)
    return scalars.scalar("") if root is None else _Builder(source).node(root, ())


def plain(node: Node) -> Any:
    """Make plain Python values of a tree, typed.

    >>> plain(parse("a: [1, 1e-3, '1']", "x").tree)
    {'a': [1, 0.001, '1']}
    """
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, list):
        return [plain(item) for item in node]
    return {key: plain(item) for key, item in node.items()}


def texts(node: Node) -> Any:
    """Make plain Python values of a tree, each scalar as its text in the file.

    >>> texts(parse("a: [1, 1e-3, '1']", "x").tree)
    {'a': ['1', '1e-3', '1']}
    """
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return [texts(item) for item in node]
    return {key: texts(item) for key, item in node.items()}


class _Builder:
    """Turn PyYAML's nodes into ours, noting lines and warnings on the way."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[tuple[str | int, ...], int] = {}
        self.warnings: list[str] = []
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._again = 0

    def node(self, node: yaml.Node, path: tuple[str | int, ...]) -> Node:
        self._count(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "an alias (*) inside its own anchor (&); write the value out")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            return self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Node]:
        self._check_tag(node, "map")
        self._check_keys(node)
        tree: dict[str, Node] = {}
        # Merged keys come first; the mapping's own replace them, in their place.
        for key, child in node.value:
            if _merges(key):
                for merged in self._merged(child, path):
                    tree = {**merged, **tree}
        for key, child in node.value:
            if not _merges(key):
                place = (*path, key.value)
                self.lines[place] = line_of(key)
                tree[key.value] = self.node(child, place)
        return tree

    def _sequence(self, node: yaml.Node, path: tuple[str | int, ...]) -> list[Node]:
        self._check_tag(node, "seq")
        items = []
        for index, child in enumerate(node.value):
            place = (*path, index)
            self.lines[place] = line_of(child)
            items.append(self.node(child, place))
        return items

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        if node.tag == PLAIN:
            found = scalars.scalar(node.value)
            truth = scalars.meant_in_yaml_11(found)
            if truth:
                self.warnings.append(
                    f"{self.source}:{line_of(node)}: `{found.text}` is text here;"
                    f" quote it, or write {truth}"
                )
            return found
        if node.tag == QUOTED:
            return scalars.quoted(node.value)
        read = scalars.tagged(node.value, node.tag.removeprefix(TAG))
        if read is None:
            raise self._error(
                node, f"`{node.value}` can't be tagged {_written(node.tag)}; untag it"
            )
        return read

    def _merged(self, node: yaml.Node, path: tuple[str | int, ...]) -> list[dict[str, Node]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(source, yaml.MappingNode) for source in sources):
            raise self._error(node, "`<<` takes a mapping or a list of mappings")
        trees = [self.node(source, path) for source in sources]
        return [tree for tree in trees if isinstance(tree, dict)]

    def _check_keys(self, node: yaml.MappingNode) -> None:
        given: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a key must be a word, not a list or mapping; quote it")
            if not key.value:
                raise self._error(key, "a key is empty; name it")
            if key.value in given:
                first = given[key.value]
                raise self._error(key, f"{key.value} was given on line {first} already; keep one")
            given[key.value] = line_of(key)

    def _check_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag != TAG + kind:
            raise self._error(node, f"the tag {_written(node.tag)} means nothing here; remove it")

    def _count(self, node: yaml.Node) -> None:
        self._again += id(node) in self._seen
        self._seen.add(id(node))
        if self._again > _MOST_ALIASED:
            raise self._error(node, f"aliases repeat more than {_MOST_ALIASED} values; write less")

    def _error(self, node: yaml.Node, problem: str) -> SettingsError:
        return SettingsError(f"{self.source}:{line_of(node)}: {problem}")


def _merges(key: yaml.ScalarNode) -> bool:
    return bool(key.value == "<<" and key.tag == PLAIN)


def _written(tag: str) -> str:
    return tag.replace(TAG, "!!")
