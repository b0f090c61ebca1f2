"""Changes of values in a text of YAML or JSON: everything else stays as it is, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from runx.errors import SettingsError, SweepError
from runx.rundir.configyaml import yaml_key
from runx.rundir.parts import (
    Meaning,
    Part,
    block_text,
    flow_text,
    json_part,
    meaning,
    members,
    yaml_part,
)
from runx.sweeps.yaml_nodes import MAP, PLAIN, QUOTED

Changes: TypeAlias = "dict[str, Changes | str | None]"
"""New values by their keys: as they are spelt in the text, None for what is removed."""

_NOTHING = Meaning("mapping", MAP)


class Language(NamedTuple):
    """How a language is read, and how a key and a meaning are written in it."""

    read: Callable[[str, str], Part]
    key: Callable[[str], str]
    write: Callable[[Meaning], str]


def edited(text: str, part: Part, changes: Changes, language: Language, source: str) -> str:
    """Return a text with changes of the values in it; ``part`` is what it was read as.

    A value that several places share, by an alias, is changed in that place alone. Where a text is
    written so that no place in it can be changed, it is written anew, its scalars as they were.

    Raises:
        SweepError: Something is to be both a value and a mapping.

    >>> text = "a: &x {lr: 0.1, n: no}  # why\\nb: *x\\n"
    >>> print(edited(text, yaml_part(text, "x"), {"a": {"lr": "2"}}, YAML, "x"))
    a: &x {lr: 2, n: no}  # why
    b: {lr: 0.1, n: no}
    <BLANKLINE>
    """
    if not changes:
        return text
    wanted = _changed(meaning(part), changes, language, ())
    editor = _Editor(text, language)
    editor.visit(part, changes)
    result = editor.result()
    try:
        if meaning(language.read(result, source)) == wanted:
            return result
    except SettingsError:
        pass  # Such as a block that a flow style can't replace where it stands.
    return block_text(wanted) if language is YAML else language.write(wanted) + "\n"


def _changed(tree: Meaning, changes: Changes, language: Language, path: tuple[str, ...]) -> Meaning:
    """Return a meaning with changes of what is in it."""
    if not changes:
        return tree
    if tree.kind == "scalar" and tree.tag == PLAIN and tree.text == "null":
        tree = _NOTHING
    if tree.kind == "scalar":
        raise clash(".".join((*path, next(iter(changes)))))
    if tree.kind == "sequence":
        return tree._replace(items=_changed_items(tree, changes, language, path))
    pairs = {key.text if key.kind == "scalar" else key: (key, it) for key, it in tree.items}
    for name, change in changes.items():
        if change is None:
            pairs.pop(name, None)
            continue
        key, old = pairs.get(name, (meaning(language.read(language.key(name), "")), _NOTHING))
        pairs[name] = (key, _replaced(old, change, language, (*path, name)))
    return tree._replace(items=tuple(pairs.values()))


def _changed_items(
    tree: Meaning, changes: Changes, language: Language, path: tuple[str, ...]
) -> tuple[Meaning, ...]:
    items = list(tree.items)
    for name, change in changes.items():
        where = ".".join((*path, name))
        if not name.isdecimal() or int(name) >= len(items):
            raise SweepError(f"{where}: {'.'.join(path)} is a list of {len(items)}; name an item")
        if change is None:
            raise SweepError(f"~{where}: an item of a list can't be left out; set the whole list")
        items[int(name)] = _replaced(items[int(name)], change, language, (*path, name))
    return tuple(items)


def _replaced(
    old: Meaning, change: Changes | str, language: Language, path: tuple[str, ...]
) -> Meaning:
    if isinstance(change, dict):
        return _changed(old, change, language, path)
    if holds_mapping(old) and old.items:
        raise clash(".".join(path))
    return meaning(language.read(change, ""))


def holds_mapping(tree: Meaning) -> bool:
    """Return whether a meaning is a mapping, or a list with one in it."""
    return tree.kind == "mapping" or (
        tree.kind == "sequence" and any(map(holds_mapping, tree.items))
    )


def clash(name: str) -> SweepError:
    """Return the error on a name that is both a value and a mapping."""
    return SweepError(f"{name} is both a value and a mapping; rename one")


class _Editor:
    """Collects replacements in a text, in the order of the text."""

    def __init__(self, text: str, language: Language) -> None:
        self.text, self.language = text, language
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.cuts: list[tuple[int, int, str]] = []
        self.dirty: set[int] = set()

    def result(self) -> str:
        pieces, at = [], 0
        for start, end, new in sorted(self.cuts, key=lambda cut: cut[0]):
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])

    def visit(self, part: Part, changes: Changes) -> None:
        """Collect the changes in a part, and those of aliases whose anchors change."""
        if part.kind == "alias":
            if changes or id(part.target) in self.dirty:
                self._put(part, _changed(meaning(part), changes, self.language, ()))
            return
        if changes and part.anchor:
            self.dirty.add(id(part))
        if changes and part.kind == "scalar":
            self._cut(None, part, self._nested(changes))
            return
        left = dict(changes)
        for index, (key, value) in enumerate(part.items):
            name = str(index) if key is None else key.text
            if name not in left or (key is not None and key.kind != "scalar"):
                self.visit(value, {})
                continue
            change = left.pop(name)
            if isinstance(change, dict):
                self.visit(value, change)
                continue
            self._forget(value)
            if change is None:
                self._remove(part, index)
            else:
                self._cut(key, value, change)
        self._add(part, {name: change for name, change in left.items() if change is not None})

    def _forget(self, part: Part) -> None:
        """Note the anchors of a part that is replaced."""
        if part.anchor:
            self.dirty.add(id(part))
        for _, value in part.items:
            self._forget(value)

    def _put(self, part: Part, tree: Meaning) -> None:
        self.cuts.append((part.start, part.end, self.language.write(tree)))

    def _nested(self, changes: Changes) -> str:
        return self.language.write(_changed(_NOTHING, changes, self.language, ()))

    def _cut(self, key: Part | None, part: Part, new: str) -> None:
        """Replace a value by another that is on one line."""
        start = part.start
        if key is not None and part.items and not part.flow:
            start = self.text.index(":", key.end) + 1
        is_after_sign = start != part.start or start == part.end  # The colon, or nothing after it.
        between = " " if is_after_sign else ""
        after = self.newline if self.text[start : part.end].endswith("\n") else ""
        self.cuts.append((start, part.end, between + new + after))

    def _remove(self, part: Part, index: int) -> None:
        """Remove an item of a mapping; the only one of a block can't be, without its place."""
        key, value = part.items[index]
        assert key is not None
        if part.flow:
            last = index + 1 == len(part.items)
            following = None if last else part.items[index + 1][0]
            start = part.items[index - 1][1].end if last and index else key.start
            self.cuts.append((start, following.start if following else value.end, ""))
            return
        start = self.text.rfind("\n", 0, key.start) + 1
        end = value.end
        if not self.text[:end].endswith("\n"):
            end = self.text.find("\n", end) + 1 or len(self.text)
        self.cuts.append((start, end, ""))

    def _add(self, part: Part, changes: Mapping[str, Changes | str]) -> None:
        """Add items to a mapping, after its last one."""
        inherited = {key.text: value for key, value in members(part)} if changes else {}
        for name, change in changes.items():
            if isinstance(change, dict) and name in inherited:
                tree = _changed(meaning(inherited[name]), change, self.language, ())
                change = self.language.write(tree)
            new = self._nested(change) if isinstance(change, dict) else change
            self._append(part, f"{self.language.key(name)}: {new}")

    def _append(self, part: Part, item: str) -> None:
        if not part.items:
            self.cuts.append((part.end - 1, part.end - 1, item))
            return
        key, end = part.items[-1][0], part.items[-1][1].end
        assert key is not None
        line = self.text.rfind("\n", 0, key.start) + 1
        if part.flow:
            is_first = not self.text[line : key.start].strip()
            indent = self.newline + self.text[line : key.start] if is_first else " "
            self.cuts.append((end, end, f",{indent}{item}"))
        elif self.text[:end].endswith("\n"):
            self.cuts.append((end, end, " " * (key.start - line) + item + self.newline))
        else:
            end = self.text.find("\n", end) if "\n" in self.text[end:] else len(self.text)
            end -= self.text[end - 1 : end] == "\r"
            self.cuts.append((end, end, f"{self.newline}{' ' * (key.start - line)}{item}"))


def _json_text(tree: Meaning) -> str:
    if tree.kind == "scalar":
        return json.dumps(tree.text) if tree.tag == QUOTED else tree.text
    if tree.kind == "sequence":
        return "[" + ", ".join(map(_json_text, tree.items)) + "]"
    pairs = [f"{json.dumps(key.text)}: {_json_text(value)}" for key, value in tree.items]
    return "{" + ", ".join(pairs) + "}"


YAML = Language(yaml_part, yaml_key, flow_text)

JSON = Language(json_part, json.dumps, _json_text)
