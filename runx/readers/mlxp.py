"""MLXP's folders ``logs/N``: the configuration and the status in ``metadata``, JSON lines in
``metrics``, a file for each name that was logged to.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Row, Warn
from runx.readers.content import (
    content_or_none,
    is_file,
    object_or_empty,
    warn_of_lines,
)
from runx.readers.shaping import Measurement, measurement, rows_of
from runx.rundir.record import dotted

_STATES = {"COMPLETE": "done", "FAILED": "failed"}


def _is_run(folder: Path) -> bool:
    metadata = f"{folder}/metadata"
    return is_file(f"{metadata}/config.yaml") and (
        is_file(f"{metadata}/info.yaml") or os.path.isdir(f"{folder}/metrics")
    )


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    info = object_or_empty(folder / "metadata" / "info.yaml", warn)
    config = object_or_empty(folder / "metadata" / "config.yaml", warn)
    status = str(info.get("status"))
    yield FoundRun(
        name=folder.name,
        path=folder,
        hparams=dotted(config),
        rows=_rows(folder / "metrics", warn),
        state=_STATES.get(status, "unknown"),
        # A run that was killed stays so for ever.
        reason=status.lower() if status in ("STARTING", "RUNNING") else "",
        started=_time(info, "start"),
        ended=_time(info, "end"),
        source="metrics",
    )


def _rows(folder: Path, warn: Warn) -> list[Row]:
    """Return what was logged; a file's name, which may be a phase, comes before the metric's."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except OSError:
        return []
    steps: dict[float, Measurement] = {}
    for name in names:
        file, prefix = f"{folder}/{name}", name.removesuffix(".json")
        damaged = []
        for number, line in enumerate((content_or_none(file, warn) or b"").splitlines()):
            try:
                found = measurement(dotted(json.loads(line)))
            except (ValueError, AttributeError, RecursionError):
                damaged.append(number + 1)
                continue
            at = next((step for step in (found.epoch, found.step) if step is not None), number)
            values = {f"{prefix}/{metric}": value for metric, value in found.values.items()}
            before = steps.get(at, found._replace(values={}))
            steps[at] = before._replace(values={**before.values, **values}, epoch=at, step=None)
        warn_of_lines(file, damaged, warn)
    return rows_of([steps[at] for at in sorted(steps)])


def _time(info: dict[str, Any], which: str) -> float | None:
    """Return a time in seconds since 1970: MLXP writes local time, day before month."""
    try:
        text = f"{info[f'{which}_date']} {info[f'{which}_time']}"
        return time.mktime(time.strptime(text, "%d/%m/%Y %H:%M:%S"))
    except (KeyError, ValueError, OverflowError):
        return None


READER = DirReader("mlxp", _is_run, _read, "metadata/info.yaml")
