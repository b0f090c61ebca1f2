"""The script's own configuration (CONFIG): defaults of its hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.errors import SettingsError
from runx.rundir.configfile import ConfigFile, read_config
from runx.rundir.styles import Style
from runx.sweeps.axes import Locator
from runx.sweeps.merge import keys, located, with_defaults
from runx.sweeps.overrides import Override, over_hparams
from runx.sweeps.values import Node, Scalar


def configured(
    own: Node,
    own_at: Locator,
    values: Mapping[str, Any],
    entries: Mapping[str, Entry],
    overrides: Sequence[Override],
) -> tuple[Node, Locator, ConfigFile, dict[str, Node]]:
    """Return HPARAMS over the values of CONFIG, where its keys stand, CONFIG, and its values.

    Raises:
        SettingsError: CONFIG is missing or malformed, or holds what ARGS can't express.
    """
    config = read_config(values["CONFIG"], entries["CONFIG"].origin)
    defaults = _defaults(config, values["ARGS"])
    given = keys(own)
    in_groups = [name for name in given if re.split("[./@]", name)[0] in (config.groups or {})]
    known = {**dict.fromkeys(in_groups, Scalar(None, "")), **defaults}
    hparams = with_defaults(own, known, own_at)
    at = located(own_at, {name: config.source for name in defaults if name not in given})
    if overrides:
        hparams, at = over_hparams(hparams, at, overrides, KEYS)
    removed = frozenset(each.name for each in overrides if each.node is None)
    return hparams, at, config._replace(removed=removed), defaults


def _defaults(config: ConfigFile, style: Style) -> dict[str, Node]:
    """Return the hyperparameters of CONFIG with their values. Raise for what ARGS can't express."""
    if config.groups is not None:
        if style.style != "hydra":
            raise SettingsError(
                f"{config.source}: `defaults` is Hydra's, which composes the file; use"
                " `ARGS: {style: hydra}`, and sweep a group as `model: [small, large]`"
            )
        return {**config.groups, **config.leaves}
    indexed = [path for path in config.paths.values() if any(isinstance(k, int) for k in path)]
    if indexed and style.style not in ("file", "hydra"):
        name = ".".join(map(str, takewhile(lambda key: isinstance(key, str), indexed[0])))
        raise SettingsError(
            f"{config.source}: {name} is a list of mappings, which no argument can hold;"
            " use `ARGS: {style: file}`"
        )
    return dict(config.leaves)
