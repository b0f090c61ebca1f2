"""NOTIFY: whom to tell when a sweep ends, a run fails first, or the best is beaten."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runx.config.kinds import SCALAR, Entry, Environment, Kind, with_variables
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.rundir.notify import EVENTS, Notify
from runx.sweeps.values import Node, Scalar

FORMS = ("json", "ntfy", "slack")
"""What the scheme of a URL may begin with, as ntfy+https, to say what the server takes."""
_URL = re.compile(r"([A-Za-z][\w.+-]*)://(\S*)", re.ASCII)
_SWITCH = {"true": True, "false": False}


def _notify(name: str, entry: Entry, environment: Environment) -> Notify | None:
    """Read NOTIFY: a command or a URL, or ``{to: URL, on: [end], best: acc, digest: true}``."""
    node, place = entry.node, f"{entry.origin}: {name}"
    items: Mapping[str, Node] = node if isinstance(node, dict) else {"to": node}
    for key in items:
        if key not in Notify._fields:
            advice = suggestion(key, Notify._fields)
            raise SettingsError(f"{entry.at(key)}: {name}: unknown key {key}; {advice}")
    texts = {
        key: item.text.strip()
        for key, item in items.items()
        if isinstance(item, Scalar) and item.value is not None
    }
    for key, item in items.items():
        if key != "on" and not isinstance(item, Scalar):
            raise SettingsError(f"{entry.at(key)}: {name}.{key} must be one value")
    to = texts.get("to", "")
    if to in ("", "false") or "\0" in to:
        if not isinstance(node, dict) and "\0" not in to:
            return None
        raise SettingsError(f"{place}.to: say a command, or a URL")
    best, lower = _best(texts, place)
    to = _address(to, name, entry, environment)
    return Notify(
        to, _events(items.get("on"), best, place), best, lower, _switch(texts, place, "digest")
    )


def _address(to: str, name: str, entry: Entry, environment: Environment) -> str:
    """Return a command as it is; a URL with its variables, checked."""
    match = _URL.match(to)
    if match is None:
        return to
    form, _, scheme = match[1].lower().rpartition("+")
    if scheme not in ("http", "https") or form not in ("", *FORMS):
        kinds = ", ".join(f"{form}+https" for form in FORMS)
        raise SettingsError(
            f"{entry.origin}: {name}: {match[1]}:// is none of https, http, {kinds}"
        )
    to = with_variables(to, name, entry, environment)
    match = _URL.fullmatch(to)
    if match is None or not re.match(r"[^/?#]*\w", match[2]):
        raise SettingsError(f"{entry.origin}: {name}: is no whole URL, or has spaces in it")
    return to


def _events(node: Node | None, best: str, place: str) -> tuple[str, ...]:
    items = node if isinstance(node, list) else [] if node is None else [node]
    names = [item.text.strip() if isinstance(item, Scalar) else "" for item in items]
    for name in names:
        if name not in EVENTS:
            raise SettingsError(f"{place}.on: {name or 'a list'} is none of {', '.join(EVENTS)}")
    if "best" in names and not best:
        raise SettingsError(f"{place}: on best: by which metric? add best: METRIC")
    return tuple(dict.fromkeys(names)) or ("end", "failure", *(["best"] if best else []))


def _best(texts: Mapping[str, str], place: str) -> tuple[str, bool]:
    """Return the metric by which runs are compared, and whether less of it is better."""
    from runx.analysis.better import direction  # not at start
    from runx.analysis.question import Question

    best = texts.get("best", "")
    if not best:
        return "", False
    if "lower" in texts:
        return best, _switch(texts, place, "lower")
    higher = direction(Question().sort_measure(best).metric)
    if higher is None:
        raise SettingsError(f"{place}.best: {best}: less or more? add lower: true or lower: false")
    return best, not higher


def _switch(texts: Mapping[str, str], place: str, key: str) -> bool:
    text = texts.get(key, "false").lower()
    if text not in _SWITCH:
        raise SettingsError(f"{place}.{key} must be true or false")
    return _SWITCH[text]


_EVENT = {"enum": list(EVENTS)}
NOTIFY = Kind(
    (Scalar, dict),
    "a command, a URL, or as {to: URL, on: [end, failure]}",
    _notify,
    {
        "anyOf": [
            {"type": ["string", "null"]},
            {"const": False},
            {
                "type": "object",
                "properties": {
                    "to": SCALAR,
                    "on": {"anyOf": [_EVENT, {"type": "array", "items": _EVENT}]},
                    "best": SCALAR,
                    "lower": {"type": "boolean"},
                    "digest": {"type": "boolean"},
                },
                "required": ["to"],
                "additionalProperties": False,
            },
        ]
    },
)
