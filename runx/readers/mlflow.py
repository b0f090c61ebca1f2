"""MLflow's file store: a folder for each experiment, with one for each run in it.

A run is ``meta.yaml`` beside ``params``, ``metrics`` and ``tags``, in which each file is one value;
a name with slashes lies in folders. A line of a metric is the time in milliseconds, the value and
the step. Written by mlflow 1 to 3: mlflow/store/tracking/file_store.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Row, Warn
from runx.readers.content import (
    ContentError,
    content,
    is_file,
    text,
    walked,
    warn_of_lines,
    yaml_object,
)
from runx.readers.shaping import rows_by_step
from runx.rundir.records import number as typed

_STATES = {"3": "done", "4": "failed", "5": "killed"}
_STATES |= {"FINISHED": "done", "FAILED": "failed", "KILLED": "killed"}
_UNSURE = {"1": "running", "2": "scheduled", "RUNNING": "running", "SCHEDULED": "scheduled"}
"""A run that was killed stays so for ever."""


def _is_run(folder: Path) -> bool:
    return is_file(f"{folder}/meta.yaml") and any(
        os.path.isdir(f"{folder}/{part}") for part in ("params", "metrics")
    )


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    meta = yaml_object(folder / "meta.yaml")
    # A logged model lies in folders of the same names.
    if "run_id" not in meta and "run_uuid" not in meta:
        return
    if meta.get("lifecycle_stage") == "deleted":
        return
    status = str(meta.get("status"))
    yield FoundRun(
        name=str(meta.get("run_name") or _tag(folder) or folder.name),
        path=folder,
        hparams=dict(_params(folder, warn)),
        rows=_rows(folder, warn),
        state=_STATES.get(status, "unknown"),
        reason=_UNSURE.get(status, ""),
        started=_seconds(meta.get("start_time")),
        ended=_seconds(meta.get("end_time")),
        experiment=_experiment(folder.parent),
        source="metrics",
    )


def _tag(folder: Path) -> str:
    """Return the name that MLflow before 2 kept in a tag."""
    file = folder / "tags" / "mlflow.runName"
    return text(file).strip() if is_file(file) else ""


def _experiment(folder: Path) -> str:
    """Return the name of the experiment whose folder this is, which is the folder of many runs."""
    file = f"{folder}/meta.yaml"
    try:
        return _name_in(file, os.stat(file).st_mtime_ns)
    except (ContentError, OSError):
        return ""


@lru_cache(maxsize=64)
def _name_in(file: str, _mtime: int) -> str:
    return str(yaml_object(file).get("name") or "")


def _params(folder: Path, warn: Warn) -> Iterator[tuple[str, Any]]:
    """Yield parameters: MLflow keeps texts, of which numbers and truth values are made."""
    for name, raw in _files(f"{folder}/params", warn):
        yield name, typed(raw.decode("utf-8", "replace").rstrip("\n"))


def _rows(folder: Path, warn: Warn) -> list[Row]:
    """Return a row for each step, with all metrics that were logged at it."""
    steps: dict[float, dict[str, float]] = {}
    times: dict[float, float | None] = {}
    for name, raw in _files(f"{folder}/metrics", warn):
        damaged = []
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
            try:
                time, value, *step = line.split(" ")
                at = int(step[0]) if step else 0
                steps.setdefault(at, {})[name] = float(value)
                times[at] = max(times.get(at) or 0.0, int(time) / 1000)
            except ValueError:
                damaged.append(number)
        warn_of_lines(f"{folder}/metrics/{name}", damaged, warn)
    return rows_by_step(steps, times)


def _files(top: str, warn: Warn) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file in a folder and below it, links left out."""
    for folder, names in walked(top, warn):
        prefix = f"{folder[len(top) + 1 :]}/" if len(folder) > len(top) else ""
        for name in names:
            try:
                yield f"{prefix}{name}", content(f"{folder}/{name}")
            except ContentError as error:
                warn(f"{error}: left out")


def _seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, int) else None


READER = DirReader("mlflow", _is_run, _read, "meta.yaml beside params or metrics")
