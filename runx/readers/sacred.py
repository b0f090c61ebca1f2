"""Folders of Sacred's FileStorageObserver: config.json, run.json and metrics.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Row, Warn
from runx.readers.content import ContentError, content, is_file, object_or_empty
from runx.readers.shaping import rows_by_step
from runx.rundir.record import dotted

_STATES = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "INTERRUPTED": "killed",
    "TIMEOUT": "timeout",
}


def _is_run(folder: Path) -> bool:
    try:
        return (
            is_file(f"{folder}/config.json")
            and is_file(f"{folder}/run.json")
            and b'"heartbeat"' in content(f"{folder}/run.json")
        )
    except ContentError:
        return False


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    run, config, metrics = (
        object_or_empty(folder / name, warn) for name in ("run.json", "config.json", "metrics.json")
    )
    experiment, status = run.get("experiment"), str(run.get("status"))
    yield FoundRun(
        name=folder.name,
        path=folder,
        hparams=dotted(config),
        rows=_rows(metrics),
        state=_STATES.get(status, "unknown"),
        reason=status.lower() if status in ("QUEUED", "RUNNING") else "",
        started=_time(run.get("start_time")),
        ended=_time(run.get("stop_time")),
        experiment=str(experiment.get("name")) if isinstance(experiment, dict) else "",
        source="metrics.json",
    )


def _rows(metrics: Mapping[str, Any]) -> list[Row]:
    """Return a row for each step: a metric has lists of steps, values and timestamps."""
    steps: dict[float, dict[str, float | str]] = {}
    times: dict[float, float | None] = {}
    for name, series in metrics.items():
        if not isinstance(series, dict):
            continue
        lists = [series.get(part) for part in ("steps", "values", "timestamps")]
        if not all(isinstance(part, list) for part in lists):
            continue
        for step, value, time in zip(*lists, strict=False):
            if isinstance(step, (int, float)) and isinstance(value, (int, float, str)):
                steps.setdefault(step, {})[name] = value
                times[step] = _time(time)
    return rows_by_step(steps, times)


def _time(text: Any) -> float | None:
    """Return a time in seconds since 1970: Sacred writes UTC without saying so."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


READER = DirReader("sacred", _is_run, _read, "run.json beside config.json")
