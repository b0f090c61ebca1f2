"""The values of a table as text: rounded for people, in full for machines, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from runx.analysis.columns import Column
from runx.analysis.groups import Spread, rounded

DIGITS = 5
"""Significant digits of a metric in tables for people."""


def for_people(cell: Any, column: Column, digits: int = DIGITS) -> str:
    """Return a cell as text for people.

    >>> for_people(321.4, Column("epoch_time", "epoch_time"))
    '5:21'
    >>> for_people(0.123456789, Column("loss", "metric", "loss"))
    '0.12346'
    """
    return writer(column, digits)(cell)


def writer(column: Column, digits: int = DIGITS) -> Callable[[Any], str]:
    """Return the function that turns the cells of a column into text for people."""
    kind = column.name if column.kind == "detail" else column.kind
    if kind in _TIMES:
        of_number = _TIMES[kind]
        return lambda cell: of_number(cell) if is_number(cell) else _plain(cell)
    if column.kind in ("metric", "measured"):
        number = f"{{:.{digits}g}}".format
        return lambda cell: number(cell) if isinstance(cell, float) else _plain(cell)
    return _plain


def _plain(cell: Any) -> str:
    return rounded(cell) if isinstance(cell, Spread) else for_machines(cell)


def for_machines(value: Any) -> str:
    """Return a value in full, as in YAML.

    >>> [for_machines(value) for value in (True, 0.1, [1, "a"], None, "x")]
    ['true', '0.1', '[1, "a"]', '', 'x']
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if type(value) in (int, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Return seconds as M:SS, or H:MM:SS from an hour on.

    >>> duration(321), duration(3921)
    ('5:21', '1:05:21')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short_duration(seconds: float) -> str:
    """Return seconds as ``duration`` does, below ten with tenths.

    >>> short_duration(0.3), short_duration(12.3)
    ('0:00.3', '0:12')
    """
    return f"0:0{seconds:.1f}" if 0.05 < seconds < 9.95 else duration(seconds)


def moment(seconds: float) -> str:
    """Return a time, in seconds since 1970, as local date and minute."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def on_disk(size: float) -> str:
    """Return a number of bytes as text, in MB where it is not far less."""
    from runx.staging.walk import megabytes  # not at start: few tables have sizes

    return megabytes(int(size))


def is_number(cell: Any) -> bool:
    """Return whether a cell is a number, which true and false are not."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


_TIMES: Mapping[str, Callable[[float], str]] = {
    "epoch_time": short_duration,
    "elapsed": duration,
    "started": moment,
    "created": moment,
    "disk": on_disk,
}
