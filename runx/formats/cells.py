"""One value as text: rounded and readable for people, complete for machines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runx.columns import Column
from runx.spread import Spread, rounded

DIGITS = 5
"""Significant digits that people are shown of a metric."""


def for_people(found: Any, column: Column, digits: int = DIGITS) -> str:
    """Write a cell for a person.

    >>> for_people(321.4, Column("epoch_time", "epoch_time"))
    '5:21'
    >>> for_people(0.123456789, Column("loss", "metric", "loss"))
    '0.12346'
    """
    if found is None:
        return ""
    what = column.name if column.kind == "detail" else column.kind
    if what in ("epoch_time", "elapsed") and is_number(found):
        return duration(found)
    if what in ("started", "created") and is_number(found):
        return moment(found)
    if isinstance(found, Spread):
        return rounded(found)
    if isinstance(found, float) and column.kind in ("metric", "measured"):
        return f"{found:.{digits}g}"
    return for_machines(found)


def for_machines(found: Any) -> str:
    """Write a value in full, as YAML would have it.

    >>> [for_machines(found) for found in (True, 0.1, [1, "a"], None, "x")]
    ['true', '0.1', '[1, "a"]', '', 'x']
    """
    if found is None:
        return ""
    if isinstance(found, str):
        return found
    if isinstance(found, float):
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


def moment(seconds: float) -> str:
    """Write a time as people read it where they are."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def is_number(found: Any) -> bool:
    """Say whether a cell is lined up at its right."""
    return isinstance(found, (int, float)) and not isinstance(found, bool)
