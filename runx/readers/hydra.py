"""Hydra's output folders, of one run or of multirun: those with ``.hydra`` in them.

``.hydra/config.yaml`` is the configuration, its interpolations not resolved; what was chosen for
each group of configurations is in ``.hydra/hydra.yaml``, below ``runtime: choices:``. Hydra itself
keeps neither metrics nor states: what lies in the folder is read for metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.content import (
    ContentError,
    is_file,
    text,
    yaml_mapping,
    yaml_object,
    yaml_value,
)
from runx.readers.measured import rows_beneath
from runx.rundir.record import dotted

_CHOICES = re.compile(r"^( +)choices:\n((?:\1 +.*\n?)*)", re.M)
_OVERRIDE = re.compile(r"\+{0,2}([\w./@-]+)=(.*)", re.S)


def _is_run(folder: Path) -> bool:
    return is_file(f"{folder}/.hydra/config.yaml") or is_file(f"{folder}/.hydra/overrides.yaml")


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    hydra = folder / ".hydra"
    hparams: dict[str, Any] = {}
    try:
        hparams = dotted(yaml_object(hydra / "config.yaml"))
    except ContentError as error:
        warn(f"{error}; the overrides alone are shown")
        hparams = _overrides(hydra / "overrides.yaml", warn)
    yield FoundRun(
        name=folder.name,
        path=folder,
        hparams={**_choices(hydra / "hydra.yaml", warn), **hparams},
        rows=rows_beneath(folder, warn),
    )


def _choices(file: Path, warn: Warn) -> dict[str, Any]:
    """Return the choice for each group, Hydra's own groups left out.

    Most of the file is Hydra's own settings: the choices stand at its end.
    """
    try:
        match = _CHOICES.search(text(file)) if is_file(file) else None
        choices = yaml_mapping(match[2], str(file)) if match else {}
    except ContentError as error:
        warn(str(error))
        return {}
    return {group: choice for group, choice in choices.items() if not group.startswith("hydra/")}


def _overrides(file: Path, warn: Warn) -> dict[str, Any]:
    """Return what was given on the command line, each ``key=value`` read as YAML."""
    try:
        items = yaml_value(text(file), str(file)) or []
        matches = [_OVERRIDE.fullmatch(str(item)) for item in items]
        return {match[1]: yaml_value(match[2], str(file)) for match in matches if match}
    except ContentError as error:
        warn(str(error))
        return {}


READER = DirReader("hydra", _is_run, _read, ".hydra/config.yaml")
