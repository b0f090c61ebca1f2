"""PyYAML's nodes of a text, with errors on one line. No object is built, no scalar read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from runx.errors import SettingsError

PLAIN, QUOTED = "!plain", "!quoted"
"""The tags of scalars that have none in the file."""

TAG = "tag:yaml.org,2002:"
"""What YAML's own tags begin with."""

MAP, SEQ = f"{TAG}map", f"{TAG}seq"
"""The tags of mappings and sequences that have none in the file."""

_DEEPEST = 100

# libyaml's scanner is ten times faster than Python's.
_Scanner: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Scanner):  # type: ignore[misc]
    """PyYAML's loader, with tags resolved only so far as to tell plain scalars from quoted ones."""

    def resolve(self, kind: type, _value: str | None, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else QUOTED
        return SEQ if kind is yaml.SequenceNode else MAP


def compose(text: str, source: str) -> yaml.Node | None:
    """Return PyYAML's nodes of the one document in a text."""
    try:
        # Without so many openings nothing can be nested so deeply.
        if sum(map(text.count, ("[", "{", "- ", "? ", ":\n"))) > _DEEPEST:
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
        raise SettingsError(_explanation(error, text, source)) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{source}: not YAML: {' '.join(str(error).split())}") from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SettingsError(f"{source}:{line}: not Unicode; save the file as UTF-8") from None


def events(text: str) -> Iterator[Any]:
    """Yield PyYAML's events of a text that ``compose`` has read: aliases have places in them."""
    yield from yaml.parse(text, Loader=_Scanner)


def _check_depth(text: str, source: str) -> None:
    """Raise if a text is nested so deeply that libyaml would crash for want of stack."""
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


def _explanation(error: yaml.MarkedYAMLError, text: str, source: str) -> str:
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
    """Return the line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1
