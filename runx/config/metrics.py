"""METRICS: the metrics of scripts that print them, or leave them in files of their own."""

from __future__ import annotations

import posixpath

from runx.config.kinds import SCALAR, Entry, Environment, Kind
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.sweeps.values import Node, Scalar

_KEYS = ("file", "key", "pattern")


def _metrics(name: str, entry: Entry, _: Environment) -> dict[str, dict[str, str]]:
    """Return for each metric its file, key and pattern, as far as they are given."""
    assert isinstance(entry.node, dict)
    return {
        metric: _metric(metric, node, f"{entry.origin}: {name}.{metric}")
        for metric, node in entry.node.items()
    }


def _metric(metric: str, node: Node, place: str) -> dict[str, str]:
    from runx.readers.patterns import problem  # not at start

    texts = {"pattern": node.text} if isinstance(node, Scalar) else _texts(node, place)
    for key, text in texts.items():
        if not text or "\0" in text:
            message = f".{key} is empty, or has a NUL" if isinstance(node, dict) else f": {_HOW}"
            raise SettingsError(f"{place}{message}")
    if "pattern" in texts and (wrong := problem(texts["pattern"])):
        raise SettingsError(f"{place}: {texts['pattern']!r} {wrong}")
    if metric == "epoch" and texts.keys() != {"pattern"}:
        raise SettingsError(f"{place}: is a pattern, for all metrics that have one")
    if "key" in texts and "pattern" in texts:
        raise SettingsError(f"{place}: has both a key and a pattern; give one of them")
    if "file" in texts:
        texts["file"] = _file(texts["file"], place)
    return texts


_HOW = "write a pattern, as 'val acc: ([0-9.]+)', or {file: out/eval.json, key: acc}"


def _file(text: str, place: str) -> str:
    """Return a path relative to LOGDIR or to the code of a run, without ``.`` and ``..``."""
    file = posixpath.normpath(text.removeprefix("LOGDIR/"))
    if posixpath.isabs(file) or file.split("/")[0] == "..":
        raise SettingsError(
            f"{place}.file: {text} lies outside of the run; write a path that is relative"
            " to LOGDIR or to where CMD starts"
        )
    return file


def _texts(node: Node, place: str) -> dict[str, str]:
    if not isinstance(node, dict) or "file" not in node:
        raise SettingsError(f"{place}: {_HOW}")
    texts = {}
    for key, inner in node.items():
        if key not in _KEYS:
            raise SettingsError(f"{place}: unknown key {key}; {suggestion(key, _KEYS)}")
        if not isinstance(inner, Scalar):
            raise SettingsError(f"{place}.{key} must be one value")
        texts[key] = inner.text
    return texts


METRICS = Kind(
    dict,
    "a mapping of metrics to patterns, as {acc: 'val acc: ([0-9.]+)'}",
    _metrics,
    {
        "type": ["object", "null"],
        "additionalProperties": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": dict.fromkeys(_KEYS, SCALAR),
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        },
    },
    {},
)
