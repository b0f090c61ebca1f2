"""W&B's run folders, ``wandb/run-*`` and ``wandb/offline-run-*``.

The log ``run-ID.wandb`` has everything. Where it is missing or has no run, as beside runs of older
versions, ``files/config.yaml`` has the config and ``files/wandb-summary.json`` the last values.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.content import (
    content_or_none,
    is_file,
    object_or_empty,
)
from runx.readers.shaping import Measurement, measurement, rows_of
from runx.readers.wandb_log import MAGIC, read_log
from runx.rundir.record import dotted

_LARGEST_LOG = 1 << 30


def _log_in(folder: Path | str) -> str:
    """Return the path of a run's log, or an empty text."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".wandb"))
    except OSError:
        return ""
    return next((path for name in names if is_file(path := f"{folder}/{name}")), "")


def _is_run(folder: Path) -> bool:
    name = folder.name
    if not name.startswith(("run-", "offline-run-")):
        return False
    return bool(_log_in(folder)) or is_file(f"{folder}/files/config.yaml")


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    path = _log_in(folder)
    raw = content_or_none(path, warn, _LARGEST_LOG) if path else None
    log = read_log(raw or MAGIC)
    if log.damage:
        warn(f"{path}: read up to its damage: {log.damage}")
    config = log.config or _older(folder / "files" / "config.yaml", warn)
    measured = [_measured(each) for each in log.history]
    if not measured:
        summary = object_or_empty(folder / "files" / "wandb-summary.json", warn)
        measured = [_measured(summary)] if summary else []
    times = [each.time for each in measured if each.time is not None]
    yield FoundRun(
        name=log.name or folder.name.rpartition("-")[2],
        path=folder,
        hparams=dotted(_without_own(config)),
        rows=rows_of(measured),
        state="unknown" if log.exit_code is None else "failed" if log.exit_code else "done",
        exit_code=log.exit_code,
        started=log.started or min(times, default=None),
        ended=max(times, default=None) if log.exit_code is not None else None,
        experiment=log.project,
        source=os.path.basename(path),
    )


def _measured(values: Mapping[str, Any]) -> Measurement:
    """Return what was logged at one step."""
    flat = dotted(values)
    step, time = flat.get("_step"), flat.get("_timestamp")
    return measurement(_without_own(flat))._replace(
        step=step if isinstance(step, (int, float)) else None,
        time=time if isinstance(time, (int, float)) else None,
    )


def _without_own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without W&B's own, whose names begin with an underscore."""
    return {name: value for name, value in values.items() if not name.startswith("_")}


def _older(file: Path, warn: Warn) -> dict[str, Any]:
    """Return the config that older versions wrote: name, then desc and value."""
    return {
        name: entry["value"]
        for name, entry in object_or_empty(file, warn).items()
        if isinstance(entry, dict) and "value" in entry
    }


READER = DirReader("wandb", _is_run, _read, "run-*/run-*.wandb or files/config.yaml")
