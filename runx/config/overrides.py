"""Overrides of settings: what ``FARM=local``, ``+NOTE=x`` and ``~ENV`` change in every source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer
from runx.config.mappings import unfolded
from runx.config.sources import entry_of
from runx.errors import SettingsError
from runx.sweeps.overrides import Override, over_settings, read_override
from runx.sweeps.scalars import quoted
from runx.sweeps.values import Node
from runx.sweeps.yaml import parse_value


def read_overrides(words: Iterable[str | Override]) -> tuple[Override, ...]:
    """Read overrides as they are typed; an Override stays as it is.

    >>> [override.name for override in read_overrides(["lr=0.1", "FARM=local"])]
    ['lr', 'FARM']
    """
    overrides = [word if isinstance(word, Override) else _read_override(word) for word in words]
    words_by_name: dict[str, str] = {}
    for override in overrides:
        _check_once(override, words_by_name)
        if override.name.startswith("HPARAMS."):
            plain = override.text.replace("HPARAMS.", "", 1)
            raise SettingsError(f"{override.text}: hyperparameters stand alone: {plain}")
        if override.name == "EXTENDS":
            raise SettingsError(f"{override.text}: only a file extends another; write it there")
    return tuple(overrides)


def _check_once(override: Override, earlier: dict[str, str]) -> None:
    """Raise if a key was given before, in whose place this one would count without a word."""
    name = override.name
    if name in earlier:
        hint = "" if override.is_setting else f"; {name}=1,2 is two values"
        raise SettingsError(f"{override.text}: {name} was given as {earlier[name]} already{hint}")
    earlier[name] = override.text


def _read_override(word: str) -> Override:
    """Read one override; a setting that is a text is taken as it stands, braces and colons too.

    >>> _read_override("RUN_NAME={wid}-{lr}").node, _read_override("NOTE='yes'").node
    (Scalar(value='{wid}-{lr}', text='{wid}-{lr}', plain=False), \
Scalar(value='yes', text='yes', plain=False))
    """
    name, equals, text = word.partition("=")
    key = KEYS.get(name.lstrip("+"))
    if not equals or not text or key is None or not key.kind.is_literal:
        override = read_override(word, KEYS)
        if override.node is None:
            return override
        return override._replace(node=unfolded(override.name, override.node))
    node: Node = quoted(text)
    if text[0] in "'\"":
        try:
            node = parse_value(text, word)
        except SettingsError:
            pass  # quotes of the shell's own, as in CMD="./my train" --fast
    return Override(word, name.lstrip("+"), node, is_setting=True, is_new=name.startswith("+"))


def overridden(layers: list[Layer], overrides: Sequence[Override], cwd: Path) -> list[Layer]:
    """Return the layers with one of overrides above them, and without what overrides remove."""
    entries = {}
    for name, node in over_settings(overrides).items():
        if node is not None:
            texts = [each.text for each in overrides if each.name.split(".")[0] == name]
            entries[name] = entry_of(node, f"{' '.join(texts)} on the command line", cwd)
    removed = {each.name for each in overrides if each.is_setting and each.node is None}
    return [Layer(entries), *(_without(layer, removed) for layer in layers)]


def _without(layer: Layer, removed: set[str]) -> Layer:
    def remaining(entries: Mapping[str, Entry]) -> dict[str, Entry]:
        return {name: entry for name, entry in entries.items() if name not in removed}

    farms = {name: remaining(entries) for name, entries in layer.farms.items()}
    return layer._replace(entries=remaining(layer.entries), farms=farms)
