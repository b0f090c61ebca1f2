"""Shell scripts as blocks: logical lines, and the loops around them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from runx.sweeps.shellscan import chars_of

_FOR = re.compile(r"for\s+([A-Za-z_]\w*)\s+in\s+(.*)\Z", re.DOTALL)
_COUNT = re.compile(
    r"for\s*\(\(\s*(\w+)\s*=\s*(-?\d+)\s*;\s*\1\s*(<=?)\s*(-?\d+)\s*;\s*(?:\1\+\+|\+\+\1|\1\s*\+=\s*(\d+))\s*\)\)\Z"
)
_ARRAY = re.compile(r"(?:declare\s+-a\s+)?([A-Za-z_]\w*)=\((.*)\)\s*\Z", re.DOTALL)
_ASSIGNED = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(\S*|'[^']*'|\"[^\"$`]*\")\s*\Z")
_BRACES = re.compile(r"\{(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?\}\Z")
_SEQ = re.compile(r"(?:\$\(|`)\s*seq\s+([^)`]*)(?:\)|`)\Z")
_ITEMS = re.compile(r"\$\{(\w+)\[[@*]\]\}\Z")
_ENDS = re.compile(r"(?<!;);(?!;)")
_OPENS = re.compile(r"(if|while|until|case|select|function)\b|[\w-]+\s*\(\)")


class Loop(NamedTuple):
    """A loop: its variable, the values it takes, and the blocks in it."""

    name: str
    values: tuple[str, ...]
    body: tuple[Loop | str, ...]


def statements(text: str) -> list[str]:
    """Return the logical lines of a script: continued ones joined, without comments.

    >>> statements("# x\\npython a.py \\\\\\n  --lr 1  # y\\nfor x in 1 2; do echo; done")
    ['python a.py --lr 1', 'for x in 1 2', 'do', 'echo', 'done']
    """
    joined = re.sub(r"\s*\\\n[ \t]*", " ", text)
    lines: list[str] = []
    pending = ""
    for raw in joined.split("\n"):
        line = f"{pending}\n{raw}" if pending else raw.strip()
        if not pending and (not line or line.startswith("#")):
            continue
        line = _uncommented(line)
        if _is_open(line):
            pending = line
            continue
        pending = ""
        lines += _parts(line)
    return [*lines, *([pending] if pending else [])]


def _uncommented(line: str) -> str:
    """Return a line without the comment at its end."""
    comments = (char.offset for char in chars_of(line) if char.text == "#" and char.is_mark)
    return line[: next(comments, None)].rstrip()


def _is_open(line: str) -> bool:
    """Return whether a quote or the bracket of an array isn't closed yet."""
    outside = re.sub(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", "", line, flags=re.DOTALL)
    return any(quote in outside for quote in "'\"") or (
        "=(" in outside and outside.count("(") > outside.count(")")
    )


def _parts(line: str) -> list[str]:
    """Return the parts of a line between semicolons, and ``do`` as one of its own."""
    outside = {char.offset for char in chars_of(line) if char.depth == 1 and char.ends_word}
    ends = [match.start() for match in _ENDS.finditer(line) if match.start() in outside]
    parts = [line[start + 1 : end] for start, end in pairwise([-1, *ends, len(line)])]
    words: list[str] = []
    for part in map(str.strip, parts):
        if part.startswith("do "):
            words += ["do", part[3:].strip()]
        elif part:
            words.append(part)
    return words


def blocks(lines: list[str]) -> tuple[Loop | str, ...] | None:
    """Return lines with their loops, or None where something but ``for`` is around lines.

    >>> blocks(["for x in 1 2", "do", "echo $x", "done"])
    (Loop(name='x', values=('1', '2'), body=('echo $x',)),)
    """
    constants: dict[str, tuple[str, ...]] = {}
    found, rest = _blocks(lines, constants)
    return None if found is None or rest else found


def _blocks(
    lines: list[str], constants: dict[str, tuple[str, ...]]
) -> tuple[tuple[Loop | str, ...] | None, list[str]]:
    found: list[Loop | str] = []
    while lines:
        line, lines = lines[0], lines[1:]
        if line.startswith("done"):
            return tuple(found), [line, *lines]
        if _OPENS.match(line):
            return None, []
        if re.match(r"for\b", line):
            head = _head(line, constants)
            if head is None or lines[:1] != ["do"]:
                return None, []
            body, lines = _blocks(lines[1:], constants)
            if body is None or not lines or not re.fullmatch(r"done\s*&?", lines[0]):
                return None, []
            found.append(Loop(*head, body))
            lines = lines[1:]
            continue
        _remember(line, constants)
        found.append(line)
    return tuple(found), []


def _remember(line: str, constants: dict[str, tuple[str, ...]]) -> None:
    """Keep what a line assigns, where it is plain text."""
    if (match := _ARRAY.match(line)) and not re.search(r"[$`*?]", match[2]):
        constants[match[1]] = tuple(shlex.split(match[2]))
    elif (match := _ASSIGNED.match(line)) and not re.search(r"[$`]", match[2]):
        constants[match[1]] = tuple(shlex.split(match[2]) or [""])


def literals(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the arrays and variables that lines assign plain text to."""
    constants: dict[str, tuple[str, ...]] = {}
    for line in lines:
        _remember(line, constants)
    return constants


def is_array(line: str) -> str:
    """Return the name of the array that a line assigns plain text to, or nothing."""
    match = _ARRAY.match(line)
    return match[1] if match and not re.search(r"[$`*?]", match[2]) else ""


def _head(line: str, constants: dict[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]] | None:
    """Return the variable and the values of a loop, or None where they aren't plain text."""
    if match := _COUNT.match(line):
        last = int(match[4]) + (match[3] == "<=")
        return match[1], tuple(map(str, range(int(match[2]), last, int(match[5] or 1))))
    found = _FOR.match(line)
    if found is None:
        return None
    try:
        words = _words(found[2])
    except ValueError:
        return None
    values: list[str] = []
    for word in words:
        expanded = _expanded(word, constants)
        if expanded is None:
            return None
        values += expanded
    return found[1], tuple(values)


def _words(text: str) -> list[str]:
    """Return the words of a loop's list; a command in brackets is one, quotes stay.

    >>> _words("a 'b c' $(seq 0 2)")
    ['a', "'b c'", '$(seq 0 2)']
    """
    return re.findall(r"(?:\$\([^)]*\)|`[^`]*`|'[^']*'|\"[^\"]*\"|[^\s'\"])+", text)


def _expanded(word: str, constants: dict[str, tuple[str, ...]]) -> list[str] | None:
    bare = word.strip('"')
    if match := _BRACES.match(word):
        first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
        return [
            *map(
                str,
                range(first, last + 1, step) if first <= last else range(first, last - 1, -step),
            )
        ]
    if match := _SEQ.match(bare):
        numbers = match[1].split()
        if not all(re.fullmatch(r"-?\d+", each) for each in numbers) or not numbers:
            return None
        limits = [*map(int, numbers)]
        first, step, last = (limits + limits if len(limits) == 1 else limits)[0], 1, limits[-1]
        first = 1 if len(limits) == 1 else first
        step = limits[1] if len(limits) == 3 else step
        return [*map(str, range(first, last + (1 if step > 0 else -1), step))]
    if match := _ITEMS.match(bare):
        return [*constants[match[1]]] if match[1] in constants else None
    if match := re.fullmatch(r"\$\{?(\w+)\}?", word):
        return " ".join(constants[match[1]]).split() if match[1] in constants else None
    if re.search(r"[$`*?{\[]", word):
        return None
    return shlex.split(word)
