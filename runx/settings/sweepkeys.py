"""What the settings of a sweep mean that are more than a word: SAMPLES, SEED, ARGS, SWEEPS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from runx.cmdline.styles import DASHES, Style, style_of
from runx.errors import SettingsError
from runx.settings.layers import Entry
from runx.sweeps.values import Node, Scalar


def _number(name: str, entry: Entry, _: Mapping[str, str]) -> int:
    text = entry.node.text.strip() if isinstance(entry.node, Scalar) else ""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise SettingsError(f"{entry.origin}: {name} must be a whole number, as 20")
    return int(text)


def _seed(name: str, entry: Entry, _: Mapping[str, str]) -> int | str:
    if not isinstance(entry.node, Scalar):
        raise SettingsError(f"{entry.origin}: {name} must be a number, or a word")
    text = entry.node.text.strip()
    return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text


def _args(name: str, entry: Entry, _: Mapping[str, str]) -> Style:
    if isinstance(entry.node, Scalar) and entry.node.value is None:
        return DASHES
    if not isinstance(entry.node, dict):
        raise SettingsError(f"{entry.origin}: {name} must be a mapping, as {{style: equals}}")
    return style_of(entry.node, entry.at)


def _sweeps(name: str, entry: Entry, _: Mapping[str, str]) -> dict[str, Node]:
    if isinstance(entry.node, Scalar) and entry.node.value is None:
        return {}
    if not isinstance(entry.node, dict):
        form = "a mapping of names to hyperparameters, as {seeds: {seed: {repeat: 3}}}"
        raise SettingsError(f"{entry.origin}: {name} must be {form}")
    return entry.node


SWEEP_KINDS: dict[str, Callable[[str, Entry, Mapping[str, str]], Any]] = {
    "number": _number,
    "seed": _seed,
    "args": _args,
    "sweeps": _sweeps,
}
