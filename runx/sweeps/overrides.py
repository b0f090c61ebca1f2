"""Overrides on the command line: ``lr=0.1,0.2 epochs=3 ~momentum +new=1 RESOURCES.gpus=2``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from runx.errors import SettingsError, SweepError
from runx.nearest import remedy
from runx.sweeps.axes import SKIP, TAG, Where
from runx.sweeps.merge import is_free, keys, located, with_key, without_key
from runx.sweeps.scalars import quoted
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml import parse_value

_WORD = re.compile(r"(?P<sign>[~+]?)(?P<name>[^=\s]+?)(?:=(?P<value>.*))?\Z", re.DOTALL)


_IS_TEMPLATE = re.compile(r"[^'\"\[]*\{\{")


class Override(NamedTuple):
    """One override: which key gets which value, or none of them if it is removed.

    ``text`` is the word as it was given, ``is_setting`` tells a key of the experiment from a
    hyperparameter, ``is_new`` that the key need not be there.
    """

    text: str
    name: str
    node: Node | None
    is_setting: bool = False
    is_new: bool = False


def is_override(word: str) -> bool:
    """Tell an override from the name of a file or a command.

    >>> [is_override(word) for word in ("lr=0.1", "~momentum", "+new=1", "sweep.yml", "~/x.yml")]
    [True, True, True, False, False]
    """
    if word.startswith("~"):
        return "/" not in word and len(word) > 1
    name, equals, _ = word.partition("=")
    return bool(equals) and bool(name.strip("+")) and "/" not in name and not name.startswith("-")


def read_override(word: str, settings: Collection[str]) -> Override:
    """Read one override, knowing the keys that are settings.

    >>> read_override("lr=0.1,1e-3", []).node
    [Scalar(value=0.1, text='0.1', plain=True), Scalar(value=0.001, text='1e-3', plain=True)]
    >>> read_override("~momentum", []).node is None
    True
    """
    found = _WORD.match(word)
    if not found or (found["sign"] == "~") != (found["value"] is None):
        raise SettingsError(f"{word}: write key=value, +key=value for a new key, or ~key")
    name = found["name"]
    setting = name.split(".")[0] in settings
    node = None if found["value"] is None else _node(word, found["value"], setting or _is_one(name))
    return Override(word, name, node, setting, found["sign"] == "+")


def over_hparams(
    hparams: Node, at: Where, overrides: Iterable[Override], others: Collection[str] = ()
) -> tuple[Node, Where]:
    """Give HPARAMS as if its file had said what the overrides say, and where its keys stand.

    ``others`` are names of settings, for one that is misspelt.

    >>> overrides = [read_override("lr=2", []), read_override("~wd", [])]
    >>> tree, at = over_hparams({"lr": Scalar(1, "1"), "wd": Scalar(0, "0")}, str, overrides)
    >>> tree, at("lr")
    ({'lr': Scalar(value=2, text='2', plain=True)}, 'lr=2 on the command line')
    """
    places: dict[str, str] = {}
    for override in overrides:
        if override.is_setting:
            continue
        known = keys(hparams)
        if override.name not in known and not _may_be_set(override):
            hint = f"; +{override.text} adds it" if override.node is not None else ""
            told = remedy(override.name, known, others)
            raise SweepError(f"{override.text}: {override.name} is unknown: {told}{hint}")
        if override.node is None:
            hparams = without_key(hparams, override.name)
        else:
            hparams = with_key(hparams, override.name, override.node)
        places[override.name] = f"{override.text} on the command line"
    return hparams, located(at, places)


def over_settings(overrides: Iterable[Override]) -> dict[str, Node | None]:
    """Give the settings that overrides set, dotted ones as mappings; None removes one.

    >>> words = ["RESOURCES.gpus=2", "RESOURCES.mem=4", "FARM=local", "~NOTE"]
    >>> found = over_settings(read_override(word, ["RESOURCES", "FARM", "NOTE"]) for word in words)
    >>> found["RESOURCES"].keys(), found["FARM"].text, found["NOTE"]
    (dict_keys(['gpus', 'mem']), 'local', None)
    """
    found: dict[str, Node | None] = {}
    for override in overrides:
        if not override.is_setting:
            continue
        first, *inner = override.name.split(".")
        if inner and override.node is None:
            raise SettingsError(f"{override.text}: only whole settings are removed, ~{first}")
        node = override.node
        for key in reversed(inner[1:]):
            assert node is not None
            node = {key: node}
        there = found.get(first)
        if inner and node is not None:
            found[first] = {**(there if isinstance(there, dict) else {}), inner[0]: node}
        else:
            found[first] = node
    return found


def _may_be_set(override: Override) -> bool:
    return override.is_new or (override.node is not None and is_free(override.name))


def _is_one(name: str) -> bool:
    """Tell whether a comma in a value is just a comma: in a tag and in an expression."""
    return name in (TAG, SKIP)


def _node(word: str, text: str, is_one: bool) -> Node:
    """Read a value as YAML; a list without brackets is an axis."""
    if not text.strip():
        return Scalar(None, "")
    if any(0xD800 <= ord(char) < 0xE000 for char in text) or _IS_TEMPLATE.match(text):
        return quoted(text)
    if is_one:
        return parse_value(text, word)
    try:
        items = parse_value(f"[{text}]", word)
    except SettingsError:
        # What brackets and commas mean inside brackets only: a text that isn't quoted.
        return parse_value(text, word)
    assert isinstance(items, list)
    return items[0] if len(items) == 1 else items
