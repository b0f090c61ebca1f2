"""One value as text: rounded and readable for people, complete for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from runx.analysis.columns import Column
from runx.analysis.groups import Spread, rounded
from runx.rundir.run import RunRecord

DIGITS = 5
"""Significant digits that people are shown of a metric."""


def for_people(found: Any, column: Column, digits: int = DIGITS) -> str:
    """Write a cell for a person.

    >>> for_people(321.4, Column("epoch_time", "epoch_time"))
    '5:21'
    >>> for_people(0.123456789, Column("loss", "metric", "loss"))
    '0.12346'
    """
    return writer(column, digits)(found)


def writer(column: Column, digits: int = DIGITS) -> Callable[[Any], str]:
    """Give what writes the cells of a column for people."""
    what = column.name if column.kind == "detail" else column.kind
    if what in _TIMES:
        of_number = _TIMES[what]
        return lambda found: of_number(found) if is_number(found) else _plain(found)
    if column.kind in ("metric", "measured"):
        number = f"{{:.{digits}g}}".format
        return lambda found: number(found) if isinstance(found, float) else _plain(found)
    return _plain


def _plain(found: Any) -> str:
    return rounded(found) if isinstance(found, Spread) else for_machines(found)


def for_machines(found: Any) -> str:
    """Write a value in full, as YAML would have it.

    >>> [for_machines(found) for found in (True, 0.1, [1, "a"], None, "x")]
    ['true', '0.1', '[1, "a"]', '', 'x']
    """
    if found is None:
        return ""
    if isinstance(found, str):
        return found
    if type(found) in (int, float):
        return repr(found)
    return json.dumps(found, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Write seconds as minutes and seconds, with hours where there are any.

    >>> duration(321), duration(3921)
    ('5:21', '1:05:21')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short_duration(seconds: float) -> str:
    """Write seconds as duration does, with tenths where they are few.

    >>> short_duration(0.3), short_duration(12.3)
    ('0:00.3', '0:12')
    """
    return f"0:0{seconds:.1f}" if 0.05 < seconds < 9.95 else duration(seconds)


def moment(seconds: float) -> str:
    """Write a time as people read it where they are."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def is_number(found: Any) -> bool:
    """Say whether a cell is lined up at its right."""
    return isinstance(found, (int, float)) and not isinstance(found, bool)


_TIMES: Mapping[str, Callable[[float], str]] = {
    "epoch_time": short_duration,
    "elapsed": duration,
    "started": moment,
    "created": moment,
}


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
