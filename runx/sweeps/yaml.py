"""PyYAML's nodes of one document, with errors on one line. No object is built, no scalar read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from runx.errors import SettingsError
from runx.sweeps import scalars
from runx.sweeps.values import Node, Scalar

PLAIN, QUOTED = "!plain", "!quoted"
"""The tags of scalars that have none in the file."""


TAG = "tag:yaml.org,2002:"
"""What YAML's own tags begin with."""


_DEEPEST = 100


# libyaml's scanner is ten times faster than Python's.
_Scanner: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Scanner):  # type: ignore[misc]
    """Resolve tags only so far as to know plain scalars from quoted ones."""

    def resolve(self, kind: type, _value: str | None, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else QUOTED
        return TAG + ("seq" if kind is yaml.SequenceNode else "map")


def compose(text: str, source: str) -> yaml.Node | None:
    """Make PyYAML's nodes of the one document in a text."""
    try:
        _check_depth(text, source)
        loader = _Loader(text)
        try:
            root: yaml.Node | None = loader.get_node() if loader.check_node() else None
            if root is not None and loader.check_node():
                line = line_of(loader.get_node())
                raise SettingsError(f"{source}:{line}: a second document; keep one in a file")
            return root
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise SettingsError(_explain(error, text, source)) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{source}: not YAML: {' '.join(str(error).split())}") from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SettingsError(f"{source}:{line}: not Unicode; save the file as UTF-8") from None


def _explain(error: yaml.MarkedYAMLError, text: str, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{source}: not YAML: {error.problem}"
    lines = text.split("\n")
    for number in (mark.line, mark.line - 1):
        if 0 <= number < len(lines) and re.match(r" *\t", lines[number]):
            return f"{source}:{number + 1}: line {number + 1} is indented by a tab; use spaces"
    context = f"{error.context}, " if error.context else ""
    return (
        f"{source}:{mark.line + 1}: not YAML: {context}{error.problem} (column {mark.column + 1})"
    )


def line_of(node: yaml.Node) -> int:
    """Give the line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def _check_depth(text: str, source: str) -> None:
    """Refuse what is nested so deeply that libyaml would run out of stack and take us with it."""
    if sum(map(text.count, ("[", "{", "- ", "? ", ":\n"))) <= _DEEPEST:
        return
    try:
        _refuse_deep(yaml.parse(text, Loader=_Scanner), source)
    except yaml.MarkedYAMLError:
        # libyaml's scanner reads a thousand characters ahead of its events, and PyYAML 6.0.4 gives
        # it a limit of its own, which it may meet first; Python's scanner has none.
        with contextlib.suppress(yaml.MarkedYAMLError):
            _refuse_deep(yaml.parse(text, Loader=yaml.SafeLoader), source)
        raise


def _refuse_deep(events: Iterable[Any], source: str) -> None:
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1
            raise SettingsError(f"{source}:{line}: nested more than {_DEEPEST} deep")


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
