"""JSON, complete: an object for each run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runx.summary import Summary
from runx.types import Result


def render(summary: Summary) -> str:
    """Write everything known of each run of a summary, in its order."""
    objects = [content(row.result) for row in summary.rows]
    return json.dumps(objects, indent=2, ensure_ascii=False, allow_nan=False)


def content(run: Result) -> dict[str, Any]:
    """Give a run as JSON has it; times are in seconds."""
    return {
        "experiment": run.experiment,
        "run": run.name,
        "dir": str(run.dir.path),
        "state": run.state,
        "hparams": strict(run.hparams),
        "metrics": strict({**run.metrics, **run.measured}),
        "epoch": strict(run.epoch),
        "epoch_time": strict(run.epoch_time),
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
