"""JSON, complete: an object for each row."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runx.tables.summary import Row, Summary
from runx.types import RunRecord


def render(summary: Summary, digits: int = 0) -> str:
    """Write everything known of each run, or each group's cells, in their order."""
    objects = [_object(summary, row) for row in summary.rows]
    return json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False)


def render_lines(summary: Summary, digits: int = 0) -> str:
    """Write the same as one line for each row."""
    objects = (_object(summary, row) for row in summary.rows)
    return "\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in objects)


def _object(summary: Summary, row: Row) -> dict[str, Any]:
    if row.result:
        return content(row.result)
    heads = [column.heading for column in summary.columns]
    return {head: strict(cell) for head, cell in zip(heads, row.cells, strict=True)}


def content(run: RunRecord) -> dict[str, Any]:
    """Give a run as JSON has it; times are in seconds."""
    return {
        "experiment": run.experiment,
        "run": run.name,
        "dir": str(run.dir.path),
        "state": run.state,
        "hparams": strict(run.hparams),
        **({"resources": strict(run.resources)} if run.resources else {}),
        "metrics": strict({**run.metrics, **run.measured}),
        "epoch": strict(run.epoch),
        "epoch_time": strict(run.epoch_time),
        **strict(run.details),
    }


def strict(found: Any) -> Any:
    """Write what JSON has no word for (NaN, infinities) as text that float() reads.

    >>> strict({"loss": float("nan"), "lr": 0.1})
    {'loss': 'nan', 'lr': 0.1}
    """
    if isinstance(found, float) and not math.isfinite(found):
        return str(found)
    if isinstance(found, Mapping):
        return {name: strict(inner) for name, inner in found.items()}
    if isinstance(found, (list, tuple)):
        return [strict(item) for item in found]
    return found
