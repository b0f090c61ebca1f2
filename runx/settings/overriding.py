"""What the command line, or a caller in Python, says over everything that files say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runx.errors import SettingsError
from runx.language.scalars import quoted
from runx.language.yamltext import parse_value
from runx.settings.keys import KEYS
from runx.settings.layers import Layer, said
from runx.sweeps.overrides import Override, over_settings, read_override
from runx.sweeps.values import Node

_TEXTS = ("text", "name", "path")


def overrides_of(words: Iterable[str | Override]) -> tuple[Override, ...]:
    """Read overrides as they are typed; what is one already stays.

    >>> [override.name for override in overrides_of(["lr=0.1", "FARM=local"])]
    ['lr', 'FARM']
    """
    found = [word if isinstance(word, Override) else _read(word) for word in words]
    for override in found:
        if override.name.startswith("HPARAMS."):
            plain = override.text.replace("HPARAMS.", "", 1)
            raise SettingsError(f"{override.text}: hyperparameters stand alone: {plain}")
        if override.name == "EXTENDS":
            raise SettingsError(f"{override.text}: only a file extends another; write it there")
    return tuple(found)


def _read(word: str) -> Override:
    """Read one override; a setting that is a text is taken as it stands, braces and colons too.

    >>> _read("RUN_NAME={wid}-{lr}").node, _read("NOTE='yes'").node
    (Scalar(value='{wid}-{lr}', text='{wid}-{lr}', plain=False), \
Scalar(value='yes', text='yes', plain=False))
    """
    name, equals, text = word.partition("=")
    key = KEYS.get(name.lstrip("+"))
    if not equals or not text or key is None or key.kind not in _TEXTS:
        return read_override(word, KEYS)
    node: Node = quoted(text)
    if text[0] in "'\"":
        try:
            node = parse_value(text, word)
        except SettingsError:
            pass  # quotes of the shell's own, as in CMD="./my train" --fast
    return Override(word, name.lstrip("+"), node, is_setting=True, is_new=name.startswith("+"))


def removed(overrides: Iterable[Override]) -> frozenset[str]:
    """Name the settings that count as if no file had said them."""
    return frozenset(each.name for each in overrides if each.is_setting and each.node is None)


def without(layer: Layer, names: frozenset[str]) -> Layer:
    """Leave some settings out of a layer, its farms' too."""
    if not names:
        return layer
    farms = {
        farm: {name: entry for name, entry in entries.items() if name not in names}
        for farm, entries in layer.farms.items()
    }
    kept = {name: entry for name, entry in layer.entries.items() if name not in names}
    return Layer(kept, farms, layer.warnings)


def from_overrides(overrides: Iterable[Override], cwd: Path) -> Layer:
    """Make a layer of the settings among overrides."""
    overrides = tuple(overrides)
    entries = {}
    for name, node in over_settings(overrides).items():
        if node is not None:
            words = [each.text for each in overrides if each.name.split(".")[0] == name]
            entries[name] = said(node, f"{' '.join(words)} on the command line", cwd)
    return Layer(entries, {})
