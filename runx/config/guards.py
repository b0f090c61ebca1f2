"""The kinds of settings against runs that end badly: REQUEUE, RETRIES and SMOKE."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runx.config.kinds import Entry, Environment, Kind
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.rundir.handback import CAUSES, Requeue, Retries
from runx.sweeps.scalars import seconds
from runx.sweeps.values import Node, Scalar


class Smoke(NamedTuple):
    """For how many seconds the first run is tried before the others start, and at which farm.

    ``farm`` is "" for this machine.
    """

    time: float
    farm: str = ""


def _texts(entry: Entry, name: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a mapping's keys, those of ``known``, with its defaults, included."""
    nodes = _nodes(entry, name, known)
    return {**known, **{key: _text(node, f"{name}.{key}", entry.at(key)) for key, node in nodes}}


def _nodes(entry: Entry, name: str, known: Iterable[str]) -> Iterable[tuple[str, Node]]:
    """Return the items of a mapping; a SettingsError for a key that is not ``known``."""
    assert isinstance(entry.node, dict)
    for key in entry.node:
        if key not in known:
            hint = suggestion(key, known)
            raise SettingsError(f"{entry.at(key)}: {name}: unknown key {key}; {hint}")
    return entry.node.items()


def _text(node: Node, name: str, place: str) -> str:
    if not isinstance(node, Scalar):
        raise SettingsError(f"{place}: {name} must be one value")
    return node.text.strip()


def _requeue(name: str, entry: Entry, _: Environment) -> Requeue | None:
    """Read REQUEUE: ``true``, or any of ``{max: 5, signal: USR1@120, forward: false}``."""
    if isinstance(entry.node, Scalar):
        if entry.node.text.lower() not in ("", "false", "true"):
            raise ValueError(entry.node.text)
        return Requeue() if entry.node.text.lower() == "true" else None
    place = f"{entry.origin}: {name}"
    texts = _texts(entry, name, {"max": "5", "signal": "USR1@120", "forward": "false"})
    if not _is_number(texts["max"]):
        raise SettingsError(f"{place}.max must be a whole number")
    warning = re.fullmatch(r"(?:SIG)?USR1(?:@(\d+))?", texts["signal"], re.IGNORECASE | re.ASCII)
    if warning is None:
        raise SettingsError(
            f"{place}.signal must be as USR1@120: the signal that run.sh minds,"
            " and how many seconds before the end"
        )
    forward = {"true": "signal", "false": "term", "note": "note"}.get(texts["forward"].lower())
    if forward is None:
        raise SettingsError(f"{place}.forward must be true, false or note")
    return Requeue(int(texts["max"]), int(warning[1] or 120), forward)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d{1,9}", text, re.ASCII) is not None


def _retries(name: str, entry: Entry, _: Environment) -> Retries | None:
    """Read RETRIES: a number, or any of ``{max: 2, on: [oom, node]}``."""
    retries = Retries()
    is_short = isinstance(entry.node, Scalar)
    nodes = {"max": entry.node} if is_short else dict(_nodes(entry, name, ("max", "on")))
    if "max" in nodes:
        text = _text(nodes["max"], f"{name}.max", entry.at("max"))
        if not _is_number(text):
            raise ValueError(text)
        retries = retries._replace(max=int(text))
    if "on" in nodes:
        retries = retries._replace(on=_causes(nodes["on"], f"{entry.at('on')}: {name}.on"))
    return retries if retries.max else None


def _causes(node: Node, place: str) -> tuple[str, ...]:
    """Read the causes of RETRIES: a list of them, or words with commas between."""
    items = node if isinstance(node, list) else [node]
    texts = [item.text if isinstance(item, Scalar) else "" for item in items]
    words = [word.strip().lower() for text in texts for word in text.split(",")]
    for word in words:
        if word == "lost":
            raise SettingsError(f"{place}: lost is what became of a run whose node died: say node")
        if word not in CAUSES:
            raise SettingsError(
                f"{place}: {word or 'nothing'} is no cause to try again for;"
                f" {suggestion(word, CAUSES)}"
            )
    if not words:
        raise SettingsError(f"{place}: names no cause; known are: {', '.join(CAUSES)}")
    return tuple(dict.fromkeys(words))


def _smoke(name: str, entry: Entry, _: Environment) -> Smoke | None:
    """Read SMOKE: a length of time, or ``{time: 60s, farm: debug}``."""
    known = {"time": "60s", "farm": ""}
    is_short = isinstance(entry.node, Scalar)
    texts = {**known, "time": entry.text} if is_short else _texts(entry, name, known)
    if texts["time"].strip().lower() in ("", "0", "false"):
        return None
    length = seconds(texts["time"])
    if length is None or not 0 < length <= _LONGEST:
        raise ValueError(texts["time"])
    return Smoke(length, texts["farm"])


_LONGEST = 86400.0

REQUEUE = Kind(
    (Scalar, dict),
    "as {max: 5, signal: USR1@120}",
    _requeue,
    {
        "anyOf": [
            {"type": ["boolean", "null"]},
            {
                "type": "object",
                "properties": {
                    "max": {"type": "integer", "minimum": 0},
                    "signal": {"type": "string"},
                    "forward": {"enum": [True, False, "note"]},
                },
                "additionalProperties": False,
            },
        ]
    },
)
_CAUSE = {"enum": list(CAUSES)}
RETRIES = Kind(
    (Scalar, dict),
    "a number, or as {max: 2, on: [oom, node]}",
    _retries,
    {
        "anyOf": [
            {"type": ["integer", "null"], "minimum": 0},
            {
                "type": "object",
                "properties": {
                    "max": {"type": "integer", "minimum": 0},
                    "on": {"anyOf": [_CAUSE, {"type": "array", "items": _CAUSE, "minItems": 1}]},
                },
                "additionalProperties": False,
            },
        ]
    },
)
SMOKE = Kind(
    (Scalar, dict),
    "a length of time of at most a day, as 60s, or as {time: 60s, farm: debug}",
    _smoke,
    {
        "anyOf": [
            {"type": ["string", "number", "null"]},
            {
                "type": "object",
                "properties": {
                    "time": {"type": ["string", "number"]},
                    "farm": {"type": ["string", "null"]},
                },
                "additionalProperties": False,
            },
        ]
    },
)
