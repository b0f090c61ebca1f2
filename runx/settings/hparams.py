"""HPARAMS as it is planned: with HPARAMS_FROM, the sweeps asked for, CONFIG and overrides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runx.errors import SweepError
from runx.settings.keys import KEYS
from runx.settings.layers import Entry
from runx.sweeps.axes import Where
from runx.sweeps.layering import keys, located, with_defaults, with_sweeps
from runx.sweeps.overrides import Override, over_hparams
from runx.sweeps.values import Node

FROM, SWEEPS, CONFIG = "HPARAMS_FROM", "SWEEPS", "CONFIG"


def composed(
    entries: Mapping[str, Entry],
    value: Mapping[str, Any],
    sweeps: tuple[str, ...],
    overrides: Iterable[Override],
) -> tuple[Node, Where]:
    """Give HPARAMS with all that is laid over it and under it, and where its keys stand."""
    hparams: Node = value.get("HPARAMS", {})
    at: Where = entries["HPARAMS"].at if "HPARAMS" in entries else lambda *_: ""
    if value.get(FROM):
        hparams, at = _from_python(hparams, at, value[FROM], entries[FROM])
    if sweeps:
        hparams, at = _swept(hparams, at, value.get(SWEEPS, {}), sweeps, entries.get(SWEEPS))
    if value.get(CONFIG):
        hparams, at = _configured(hparams, at, value[CONFIG], entries[CONFIG])
    return over_hparams(hparams, at, overrides, KEYS)


def _from_python(hparams: Node, at: Where, spec: str, entry: Entry) -> tuple[Node, Where]:
    from runx.settings.from_python import with_python

    where = f"{entry.origin}: {FROM}"
    found = with_python(hparams, spec, entry.base, where)
    before = set(keys(hparams))
    return found, located(at, {name: where for name in _tops(found) if name not in before})


def _swept(
    hparams: Node,
    at: Where,
    sweeps: Mapping[str, Node],
    chosen: tuple[str, ...],
    entry: Entry | None,
) -> tuple[Node, Where]:
    if entry is None or not sweeps:
        raise SweepError(f"--sweep {chosen[0]}: there is no {SWEEPS}; see docs/sweeps.md")
    found = with_sweeps(hparams, sweeps, chosen, entry.at)
    names = sweeps if chosen == ("*",) else chosen
    places = {key: entry.at(name, key) for name in names for key in _tops(sweeps[name])}
    return found, located(at, places)


def _configured(hparams: Node, at: Where, path: Path, entry: Entry) -> tuple[Node, Where]:
    from runx.settings.script_config import defaults

    given = defaults(path, entry.origin)
    own = set(keys(hparams))
    found = with_defaults(hparams, given, at)
    return found, located(at, {name: str(path) for name in given if name not in own})


def _tops(hparams: Node) -> list[str]:
    """Name the keys that stand at the top of HPARAMS."""
    items = hparams if isinstance(hparams, list) else [hparams]
    return [key for item in items if isinstance(item, dict) for key in item]
