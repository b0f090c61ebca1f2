"""Overrides of the command line: ``lr=0.1,0.2 epochs=3 ~momentum +new=1 RESOURCES.gpus=2``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from runx.errors import SettingsError, SweepError
from runx.nearest import suggestion
from runx.sweeps.axes import SKIP, TAG, Locator
from runx.sweeps.merge import cleared, deeply, is_free, keys, located, with_key, without_key
from runx.sweeps.typed import axis_node, value_node
from runx.sweeps.values import Node, Scalar

_WORD = re.compile(r"(?P<sign>~|\+{0,2})(?P<name>[^=\s+~][^=\s]*?)(?:=(?P<value>.*))?\Z", re.DOTALL)


class Override(NamedTuple):
    """An override: a key and its value, which is None if the key is removed.

    ``text`` is the word of the command line, ``is_setting`` is true of a key of the experiment,
    which is no hyperparameter, ``is_new`` if the key need not be there.
    """

    text: str
    name: str
    node: Node | None
    is_setting: bool = False
    is_new: bool = False


def is_override(word: str) -> bool:
    """Return whether a word is an override, not the name of a file or a command.

    >>> [is_override(word) for word in ("lr=0.1", "~momentum", "+new=1", "sweep.yml", "~/x.yml")]
    [True, True, True, False, False]
    """
    if word.startswith("~"):
        return "/" not in word and len(word) > 1
    name, equals, _ = word.partition("=")
    return bool(equals) and bool(name.strip("+")) and "/" not in name and not name.startswith("-")


def read_override(word: str, settings: Collection[str]) -> Override:
    """Return the override that a word is; ``settings`` are the keys that are no hyperparameters.

    >>> read_override("lr=0.1,1e-3", []).node
    [Scalar(value=0.1, text='0.1', plain=True), Scalar(value=0.001, text='1e-3', plain=True)]
    >>> read_override("~momentum", []).node is None, read_override("++n=5", []).is_new
    (True, True)
    """
    match = _WORD.match(word)
    if not match or (match["sign"] == "~") != (match["value"] is None):
        raise SettingsError(f"{word}: write key=value, +key=value for a new key, or ~key")
    name, text = match["name"], match["value"]
    is_setting = name.split(".")[0] in settings
    is_new = match["sign"] in ("+", "++")
    if text is None:
        return Override(word, name, None, is_setting)
    # A comma in a setting, in a tag and in an expression is just a comma.
    if is_setting or name in (TAG, SKIP):
        node = value_node(word, text) if text.strip() else Scalar(None, "")
    else:
        node = axis_node(word, name, text)
    return Override(word, name, node, is_setting, is_new)


def over_hparams(
    hparams: Node, at: Locator, overrides: Iterable[Override], others: Collection[str] = ()
) -> tuple[Node, Locator]:
    """Return HPARAMS with overrides, and the places of its keys.

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
        names = keys(hparams)
        if override.name not in names and not _may_be_set(override):
            hint = f"; +{override.text} adds it" if override.node is not None else ""
            nearest = suggestion(override.name, names, others)
            raise SweepError(f"{override.text}: {override.name} is unknown: {nearest}{hint}")
        if override.node is None:
            hparams = without_key(hparams, override.name)
        else:
            rest = cleared(hparams, override.node, override.name)
            hparams = with_key(rest, override.name, override.node)
        places[override.name] = f"{override.text} on the command line"
    return hparams, located(at, places)


def over_settings(overrides: Iterable[Override]) -> dict[str, Node | None]:
    """Return the settings that overrides set, dotted ones as mappings, and None for removed ones.

    >>> words = ["RESOURCES.gpus=2", "RESOURCES.mem=4", "FARM=local", "~NOTE"]
    >>> nodes = over_settings(read_override(word, ["RESOURCES", "FARM", "NOTE"]) for word in words)
    >>> nodes["RESOURCES"].keys(), nodes["FARM"].text, nodes["NOTE"]
    (dict_keys(['gpus', 'mem']), 'local', None)
    """
    nodes: dict[str, Node | None] = {}
    for override in overrides:
        if not override.is_setting:
            continue
        first, *inner = override.name.split(".")
        if inner and override.node is None:
            raise SettingsError(f"{override.text}: only whole settings are removed, ~{first}")
        if not inner and first in nodes:
            raise SettingsError(
                f"{override.text}: {first} was set before it; leave one of them out"
            )
        node = override.node
        for key in reversed(inner[1:]):
            assert node is not None
            node = {key: node}
        earlier = nodes.get(first) or {}
        if inner and node is not None:
            if not isinstance(earlier, dict):
                problem = f"{first} was set before it, and not as a mapping; write one of them"
                raise SettingsError(f"{override.text}: {problem}")
            nodes[first] = deeply({inner[0]: node}, earlier)
        else:
            nodes[first] = node
    return nodes


def _may_be_set(override: Override) -> bool:
    return override.is_new or (override.node is not None and is_free(override.name))
