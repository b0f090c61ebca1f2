"""YAML files as trees of scalars that keep their text, with the line of each key and item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from runx.errors import SettingsError
from runx.sweeps import scalars
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml_nodes import MAP, PLAIN, QUOTED, SEQ, TAG, compose, line_of

_Place: TypeAlias = "tuple[str | int, ...]"
"""The keys and indexes that lead to a node."""

_MOST_ALIASED = 100_000


class Document(NamedTuple):
    """A YAML mapping, and the line that each of its keys and items is on."""

    source: str
    tree: dict[str, Node]
    lines: Mapping[_Place, int]
    warnings: tuple[str, ...] = ()

    def at(self, *path: str | int) -> str:
        """Return ``file:line`` of a key or item, or of the nearest around it that has a line.

        >>> parse("lr: 1\\nopt:\\n- a\\n- b\\n", "sweep.yml").at("opt", 1)
        'sweep.yml:4'
        """
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.source}:{self.lines[path[:length]]}"
        return self.source


def read(path: Path, may_be_empty: bool = False) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises:
        SettingsError: The file can't be read, or is no such YAML.
    """
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
    """Parse YAML whose top level is a mapping. ``source`` is its name in errors.

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
    """Return a tree as plain Python values, typed.

    >>> plain(parse("a: [1, 1e-3, '1']", "x").tree)
    {'a': [1, 0.001, '1']}
    """
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, list):
        return [plain(item) for item in node]
    return {key: plain(item) for key, item in node.items()}


def texts(node: Node) -> Any:
    """Return a tree as plain Python values, each scalar as its text in the file.

    >>> texts(parse("a: [1, 1e-3, '1']", "x").tree)
    {'a': ['1', '1e-3', '1']}
    """
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return [texts(item) for item in node]
    return {key: texts(item) for key, item in node.items()}


class _Builder:
    """Turns PyYAML's nodes into ours, and notes the lines of keys and items, and warnings."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[_Place, int] = {}
        self.warnings: list[str] = []
        self._open: set[int] = set()
        self._built: set[int] = set()
        self._aliased = 0

    def node(self, node: yaml.Node, path: _Place) -> Node:
        """Return a node at a path of keys and indexes."""
        self._aliased += id(node) in self._built
        self._built.add(id(node))
        if self._aliased > _MOST_ALIASED:
            raise self._error(node, f"aliases repeat more than {_MOST_ALIASED} values; write less")
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

    def mapping(self, node: yaml.MappingNode, path: _Place) -> dict[str, Node]:
        """Return a mapping; merged keys (``<<``) come first, its own replace them in place."""
        if node.tag != MAP:
            raise self._unknown_tag(node)
        pairs = self._pairs(node)
        tree: dict[str, Node] = {}
        if "<<" in pairs and pairs["<<"][0].tag == PLAIN:
            tree = self._merged(pairs.pop("<<")[1], path)
        for name, (key, child) in pairs.items():
            place = (*path, name)
            self.lines[place] = key.start_mark.line + 1
            tree[name] = self.node(child, place)
        return tree

    def _pairs(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
        """Return the key and the value nodes of a mapping by their names, each given once."""
        pairs: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a key must be a word, not a list or mapping; quote it")
            if not key.value:
                raise self._error(key, "a key is empty; name it")
            if key.value in pairs:
                first = line_of(pairs[key.value][0])
                raise self._error(key, f"{key.value} was given on line {first} already; keep one")
            pairs[key.value] = (key, child)
        return pairs

    def _merged(self, node: yaml.Node, path: _Place) -> dict[str, Node]:
        """Return the mappings that ``<<`` takes as one; of the same key the earlier counts."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(source, yaml.MappingNode) for source in sources):
            raise self._error(node, "`<<` takes a mapping or a list of mappings")
        tree: dict[str, Node] = {}
        for source in sources:
            base = self.node(source, path)
            assert isinstance(base, dict)
            tree = {**base, **tree}
        return tree

    def _sequence(self, node: yaml.Node, path: _Place) -> list[Node]:
        if node.tag != SEQ:
            raise self._unknown_tag(node)
        items = []
        for index, child in enumerate(node.value):
            place = (*path, index)
            self.lines[place] = child.start_mark.line + 1
            items.append(self.node(child, place))
        return items

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        if node.tag == PLAIN:
            scalar = scalars.scalar(node.value)
            if scalar.text.lower() in scalars.TRUTH_IN_YAML_11:
                truth = scalars.TRUTH_IN_YAML_11[scalar.text.lower()]
                self.warnings.append(
                    f"{self.source}:{line_of(node)}: `{scalar.text}` is text here;"
                    f" quote it, or write {truth}"
                )
            return scalar
        if node.tag == QUOTED:
            return scalars.quoted(node.value)
        tagged = scalars.tagged(node.value, node.tag.removeprefix(TAG))
        if tagged is None:
            tag = node.tag.replace(TAG, "!!")
            raise self._error(node, f"`{node.value}` can't be tagged {tag}; untag it")
        return tagged

    def _unknown_tag(self, node: yaml.Node) -> SettingsError:
        tag = node.tag.replace(TAG, "!!")
        return self._error(node, f"the tag {tag} means nothing here; remove it")

    def _error(self, node: yaml.Node, problem: str) -> SettingsError:
        return SettingsError(f"{self.source}:{line_of(node)}: {problem}")
