"""What the settings of a farm's jobs mean that are more than a word: REQUEUE, ENV, DIRECTIVES."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from runx.cmdline.script import Requeue
from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.settings.layers import Entry
from runx.sweeps.values import Node, Scalar

_FORWARD = {"true": "signal", "false": "term", "note": "note"}
_ENV_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _count(name: str, entry: Entry, _: Mapping[str, str]) -> int | None:
    text = entry.node.text.strip() if isinstance(entry.node, Scalar) else "?"
    if text and (not re.fullmatch(r"\d+", text, re.ASCII) or not int(text)):
        raise SettingsError(f"{entry.origin}: {name} must be a whole number from 1 on")
    return int(text) if text else None


def _lines(name: str, entry: Entry, _: Mapping[str, str]) -> tuple[str, ...]:
    items = entry.node if isinstance(entry.node, list) else [entry.node]
    if not all(isinstance(item, Scalar) for item in items):
        raise SettingsError(f"{entry.origin}: {name} must be a list of lines")
    texts = [item.text for item in items if isinstance(item, Scalar)]
    return tuple(line for text in texts for line in text.splitlines() if line.strip())


def _texts(name: str, entry: Entry, _: Mapping[str, str]) -> dict[str, str]:
    if isinstance(entry.node, Scalar) and entry.node.value is None:
        return {}
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be a mapping of names to values")
    return {key: _variable(name, key, node, entry) for key, node in entry.node.items()}


def _variable(name: str, key: str, node: Node, entry: Entry) -> str:
    if not _ENV_NAME.fullmatch(key):
        raise SettingsError(f"{entry.origin}: {name}: {key!r} can't name a variable")
    if not isinstance(node, Scalar) or "\0" in node.text:
        raise SettingsError(f"{entry.origin}: {name}.{key} must be one value")
    return "" if node.value is None else node.text


def _requeue(name: str, entry: Entry, _: Mapping[str, str]) -> Requeue | None:
    """Read REQUEUE: ``true``, or any of ``{max: 5, signal: USR1@120, forward: false}``."""
    if isinstance(entry.node, Scalar) and entry.node.text.lower() in ("", "false", "true"):
        return Requeue() if entry.node.text.lower() == "true" else None
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be as {{max: 5, signal: USR1@120}}")
    given = {key: _word(name, key, node, entry) for key, node in entry.node.items()}
    return Requeue(
        max=_number(name, "max", given.get("max", "5"), entry),
        before=_before(name, given.get("signal", "USR1@120"), entry),
        forward=_forward(name, given.get("forward", "false"), entry),
    )


def _word(name: str, key: str, node: Node, entry: Entry) -> str:
    known = ("max", "signal", "forward")
    if key not in known:
        raise SettingsError(f"{entry.origin}: {name}: unknown key {key}; {remedy(key, known)}")
    if not isinstance(node, Scalar):
        raise SettingsError(f"{entry.origin}: {name}.{key} must be one value")
    return node.text.strip()


def _number(name: str, key: str, text: str, entry: Entry) -> int:
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise SettingsError(f"{entry.origin}: {name}.{key} must be a whole number")
    return int(text)


def _before(name: str, text: str, entry: Entry) -> int:
    match = re.fullmatch(r"(?:SIG)?USR1(?:@(\d+))?", text, re.IGNORECASE | re.ASCII)
    if match is None:
        raise SettingsError(
            f"{entry.origin}: {name}.signal must be as USR1@120: the signal that run.sh minds,"
            " and how many seconds before the end"
        )
    return int(match[1] or 120)


def _forward(name: str, text: str, entry: Entry) -> str:
    if text.lower() not in _FORWARD:
        raise SettingsError(f"{entry.origin}: {name}.forward must be true, false or note")
    return _FORWARD[text.lower()]


FARM_KINDS: dict[str, Callable[[str, Entry, Mapping[str, str]], Any]] = {
    "count": _count,
    "lines": _lines,
    "texts": _texts,
    "requeue": _requeue,
}
