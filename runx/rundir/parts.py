"""YAML and JSON as parts of their text: what each value is, and where it begins and ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from runx.errors import SettingsError
from runx.sweeps.yaml_nodes import MAP, PLAIN, QUOTED, SEQ, compose, events

_MOST_ALIASED = 100_000

_DEEPEST = 100

_IMPLICIT = (PLAIN, QUOTED, MAP, SEQ)

_PLAIN_IN_FLOW = re.compile(r"[^,\[\]{}\n]+\Z")

_JSON_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+)')


@dataclass(slots=True, eq=False)
class Part:
    """A value in a text: a scalar, a mapping, a sequence, or an alias of a ``target``.

    It stands at ``text[start:end]``, without the comments after it. ``items`` are pairs of a key,
    None in a sequence, and a value; ``size`` counts all parts in it, aliases followed.
    """

    kind: str
    tag: str
    start: int
    end: int = -1
    text: str = ""
    flow: bool = True
    anchor: str | None = None
    items: list[tuple[Part | None, Part]] = field(default_factory=list)
    target: Part | None = None
    size: int = 1

    def add(self, key: Part | None, value: Part) -> None:
        """Add an item."""
        self.items.append((key, value))
        self.size += value.size


class Meaning(NamedTuple):
    """What a part means: its tag, and a text, items, or pairs, with aliases and ``<<`` resolved."""

    kind: str
    tag: str
    text: str = ""
    items: tuple[Any, ...] = ()


def yaml_part(text: str, source: str) -> Part:
    """Return the one document of a text of YAML.

    Raises:
        SettingsError: It is no YAML, or gives a key twice.

    >>> part = yaml_part("a: &x {b: no}\\nc: *x\\n", "config.yaml")
    >>> [(key.text, value.kind, (value.start, value.end)) for key, value in part.items]
    [('a', 'mapping', (3, 13)), ('c', 'alias', (17, 19))]
    """
    if compose(text, source) is None:
        raise SettingsError(f"{source}: is empty; write `key: value` lines")
    nodes = (e for e in events(text) if isinstance(e, (yaml.NodeEvent, yaml.CollectionEndEvent)))
    return _YamlReader(text, source, nodes).part(next(nodes))


class _YamlReader:
    def __init__(self, text: str, source: str, nodes: Iterator[Any]) -> None:
        self.text, self.source, self.nodes = text, source, nodes
        self.anchors: dict[str, Part] = {}

    def part(self, event: Any) -> Part:
        start, end = event.start_mark.index, _end(event)
        if isinstance(event, yaml.AliasEvent):
            target = self.anchors[str(event.anchor)]
            if target.end < 0:
                raise _error(self, start, "an alias (*) inside its own anchor (&); write it out")
            return Part("alias", "", start, end, target=target, size=target.size)
        if isinstance(event, yaml.ScalarEvent):
            tag = event.tag or (PLAIN if event.implicit[0] else QUOTED)
            part = Part("scalar", tag, start, end, event.value)
        else:
            part = self._collection(event, start)
        if event.anchor:
            part.anchor = event.anchor
            self.anchors[event.anchor] = part
        return part

    def _collection(self, event: Any, start: int) -> Part:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        tag = event.tag or (MAP if is_mapping else SEQ)
        kind = "mapping" if is_mapping else "sequence"
        part = Part(kind, tag, start, flow=bool(event.flow_style))
        if event.anchor:
            self.anchors[event.anchor] = part
        child = next(self.nodes)
        while not isinstance(child, yaml.CollectionEndEvent):
            key = self.part(child) if is_mapping else None
            part.add(key, self.part(next(self.nodes) if is_mapping else child))
            child = next(self.nodes)
        part.end = _end(child) if part.flow else part.items[-1][1].end
        if part.size > _MOST_ALIASED:
            problem = f"aliases repeat more than {_MOST_ALIASED} values; write less"
            raise _error(self, start, problem)
        _check_keys(self, part)
        return part


def _end(event: Any) -> int:
    return int(event.end_mark.index)


def json_part(text: str, source: str) -> Part:
    """Return the value that a text of JSON is.

    Raises:
        SettingsError: It is no JSON, or gives a key twice.

    >>> part = json_part('{"lr": 1e-3}', "config.json")
    >>> [(key.text, value.text, value.start) for key, value in part.items]
    [('lr', '1e-3', 7)]
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{source}:{error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise SettingsError(f"{source}: nested more than {_DEEPEST} deep") from None
    except ValueError as error:
        raise SettingsError(f"{source}: not JSON that can be read: {error}") from None
    tokens = _JSON_TOKEN.finditer(text)
    return _JsonReader(text, source, tokens).part(next(tokens))


class _JsonReader:
    def __init__(self, text: str, source: str, tokens: Iterator[re.Match[str]]) -> None:
        self.text, self.source, self.tokens = text, source, tokens
        self.depth = 0

    def part(self, token: re.Match[str]) -> Part:
        start, end = token.span(1)
        if token[1] not in "[{":
            is_text = token[1].startswith('"')
            value = json.loads(token[1]) if is_text else token[1]
            return Part("scalar", QUOTED if is_text else PLAIN, start, end, value)
        if self.depth == _DEEPEST:
            raise _error(self, start, f"nested more than {_DEEPEST} deep")
        self.depth += 1
        is_mapping = token[1] == "{"
        part = Part(*(("mapping", MAP) if is_mapping else ("sequence", SEQ)), start)
        while (token := next(self.tokens))[1] not in "]}":
            if token[1] == ",":
                continue
            key = self.part(token) if is_mapping else None
            if is_mapping:
                next(self.tokens)  # The colon.
                token = next(self.tokens)
            part.add(key, self.part(token))
        part.end = token.end(1)
        self.depth -= 1
        _check_keys(self, part)
        return part


def _check_keys(reader: _YamlReader | _JsonReader, part: Part) -> None:
    """Raise if a mapping has a key twice: which of them counts differs from library to library."""
    places: dict[str, int] = {}
    for key, _ in part.items:
        if key is None or key.kind != "scalar":
            continue
        if key.text in places:
            line = line_of(reader.text, places[key.text])
            raise _error(
                reader, key.start, f"{key.text} was given on line {line} already; keep one"
            )
        places[key.text] = key.start


def _error(reader: _YamlReader | _JsonReader, at: int, problem: str) -> SettingsError:
    return SettingsError(f"{reader.source}:{line_of(reader.text, at)}: {problem}")


def line_of(text: str, index: int) -> int:
    """Return the line of a place in a text, counted from 1."""
    return text.count("\n", 0, index) + 1


def members(part: Part) -> list[tuple[Part, Part]]:
    """Return the keys and values of a mapping; those that ``<<`` merges first, unless it has them.

    >>> part = yaml_part("base: &b {x: 1, y: 2}\\nit: {<<: *b, y: 3}\\n", "config.yaml")
    >>> [(key.text, value.text) for key, value in members(part.items[1][1])]
    [('x', '1'), ('y', '3')]
    """
    merged: dict[Any, tuple[Part, Part]] = {}
    own: dict[Any, tuple[Part, Part]] = {}
    for key, value in (part.target or part).items:
        assert key is not None
        if not (key.kind == "scalar" and key.tag == PLAIN and key.text == "<<"):
            own[name_of(key) or key] = (key, value)
            continue
        source = value.target or value
        bases = [each for _, each in source.items] if source.kind == "sequence" else [source]
        for base in bases:
            for pair in members(base) if (base.target or base).kind == "mapping" else ():
                merged.setdefault(name_of(pair[0]) or pair[0], pair)
    return list((merged | own).values())


def name_of(key: Part) -> str:
    """Return the name of a key, empty for one that no name can reach, as a list."""
    return key.text if key.kind == "scalar" else ""


def meaning(part: Part) -> Meaning:
    """Return what a part means.

    >>> meaning(yaml_part("a: &x 1\\nb: *x\\n", "x")) == meaning(yaml_part("{a: 1, b: 1}", "x"))
    True
    """
    part = part.target or part
    if part.kind == "scalar":
        is_null = part.tag == PLAIN and part.text in ("", "~")
        return Meaning("scalar", part.tag, "null" if is_null else part.text)
    if part.kind == "sequence":
        return Meaning("sequence", part.tag, "", tuple(meaning(value) for _, value in part.items))
    pairs = tuple((meaning(key), meaning(value)) for key, value in members(part))
    return Meaning("mapping", part.tag, "", pairs)


def flow_text(tree: Meaning) -> str:
    """Return YAML of a meaning on one line, its scalars as they were.

    PyYAML would quote a time there, or an address, which then is a text.

    >>> flow_text(meaning(yaml_part("a: no\\nb: ['no', 010, 1:30]\\n", "x")))
    '{a: no, b: ["no", 010, 1:30]}'
    """
    tag = "" if tree.tag in _IMPLICIT else f"!<{tree.tag}> "
    if tree.kind == "sequence":
        return f"{tag}[{', '.join(map(flow_text, tree.items))}]"
    if tree.kind == "mapping":
        pairs = [f"{flow_text(key)}: {flow_text(value)}" for key, value in tree.items]
        return f"{tag}{{{', '.join(pairs)}}}"
    if tree.tag == PLAIN and _PLAIN_IN_FLOW.match(tree.text):
        return tree.text
    return block_text(tree).rstrip("\n")


def block_text(tree: Meaning) -> str:
    """Return YAML of a meaning on several lines, its scalars as they were."""
    document = (
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(),
        *_events(tree),
        yaml.DocumentEndEvent(),
        yaml.StreamEndEvent(),
    )
    text: str = yaml.emit(document, width=10**9, allow_unicode=True)
    return text.removesuffix("...\n")


def _events(tree: Meaning) -> Iterator[Any]:
    is_implicit = tree.tag in _IMPLICIT
    tag = None if is_implicit else tree.tag
    if tree.kind == "scalar":
        style = None if tree.tag == PLAIN else '"'
        yield yaml.ScalarEvent(None, tag, (is_implicit, is_implicit), tree.text, style=style)
        return
    start: Callable[..., Any] = yaml.MappingStartEvent
    end: Callable[..., Any] = yaml.MappingEndEvent
    if tree.kind == "sequence":
        start, end = yaml.SequenceStartEvent, yaml.SequenceEndEvent
    yield start(None, tag, is_implicit, flow_style=False)
    for item in tree.items:
        for each in item if tree.kind == "mapping" else (item,):
            yield from _events(each)
    yield end()
