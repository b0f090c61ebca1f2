"""Settings as people are shown them: each with its text, and who said it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runx.plans.experiment import Setting
from runx.settings.layers import Entry
from runx.sweeps.overrides import Override
from runx.sweeps.values import Node, Scalar


def shown_settings(
    entries: Mapping[str, Entry], hparams: Node, overrides: Iterable[Override]
) -> dict[str, Setting]:
    """Give every setting; HPARAMS as it is planned, with all that was laid over it."""
    found = {name: Setting(_shown(entry.node), entry.origin) for name, entry in entries.items()}
    return {**found, "HPARAMS": Setting(_shown(hparams), _origins(entries, overrides))}


def _origins(entries: Mapping[str, Entry], overrides: Iterable[Override]) -> str:
    """Say where HPARAMS comes from, all that was laid over it included."""
    names = [name for name in ("HPARAMS", "HPARAMS_FROM", "CONFIG") if name in entries]
    words = [override.text for override in overrides if not override.is_setting]
    return ", ".join([*(entries[name].origin for name in names), *words])


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return "[" + ", ".join(_shown(item) for item in node) + "]"
    return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in node.items()) + "}"
