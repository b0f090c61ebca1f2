"""Values that NVIDIA's runx gave to a script as other words, since it quoted none of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from runx.sweeps.axes import CASES, RESOURCE, ZIP, Locator
from runx.sweeps.values import Node, Scalar

_SPLITS = re.compile(r"[\s'\"\\]")

# With these unquoted its shell made no words of a value at all: no sweep relied on that.
_BREAKS = re.compile(r"[;&|<>()`\n]|\{\{")

# Words that stand in a list of YAML as they are; others need quotes there.
_PLAIN = re.compile(r"[\w./+-][\w./+=-]*", re.ASCII)

_LONGEST = 60


def unquoted(hparams: Node, at: Locator, placed: Collection[str] = ()) -> list[str]:
    """Return a warning for each key whose value a shell would split, but for those ``placed``.

    >>> unquoted({"m": Scalar("a b", "a b")}, lambda *path: "sweep.yml:2")[0][:48]
    "sweep.yml:2: m: 'a b' is one word for the script"
    """
    warnings: dict[str, str] = {}
    for name, scalar, path in _texts(hparams, (), ""):
        if name in warnings or name in placed or not isinstance(scalar.value, str):
            continue
        words = _words(scalar.value)
        if words != [scalar.value]:
            warnings[name] = f"{at(*path)}: {name}: {_warning(scalar.value, words)}"
    return list(warnings.values())


def _texts(
    node: Node, path: tuple[str | int, ...], name: str
) -> Iterator[tuple[str, Scalar, tuple[str | int, ...]]]:
    """Yield the values of hyperparameters with their names and paths; none of a list's items."""
    if isinstance(node, Scalar):
        yield name, node, path
    elif isinstance(node, list):
        is_value = bool(name) and path[-1] != name and isinstance(path[-1], int)
        for index, item in enumerate([] if is_value else node):
            yield from _texts(item, (*path, index), name)
    else:
        for key, child in node.items():
            is_group = not name and key in (ZIP, CASES)
            if name or is_group or not key.startswith(("RUNX.", RESOURCE)):
                yield from _texts(child, (*path, key), name or ("" if is_group else key))


def _words(text: str) -> list[str]:
    """Return the words that a shell would make of a text, the text itself where it would fail."""
    if not _SPLITS.search(text) or _BREAKS.search(text):
        return [text]
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def _warning(text: str, words: list[str]) -> str:
    items = (word if _PLAIN.fullmatch(word) else f"'{word}'" for word in words)
    as_list = f"[[{', '.join(items)}]]"
    as_list = as_list if len(as_list) <= _LONGEST and len(words) > 1 else "a list, [[a, b]]"
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    made = f"made {len(words)} of it" if len(words) != 1 else f"made {words[0]} of it"
    return (
        f"{shown!r} is one word for the script; NVIDIA's runx {made}: for that write {as_list},"
        " RUNX.CASES, or ARGS: {split: true}; ARGS: {split: false} keeps one, without a warning"
    )
