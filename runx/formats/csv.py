"""Comma-separated values, complete, for spreadsheets and programs."""

from __future__ import annotations

from collections.abc import Iterable

from runx.formats.cells import for_machines
from runx.records import quoted
from runx.summary import Summary


def render(summary: Summary) -> str:
    """Write a summary with a line of headings; times are in seconds."""
    lines = [_line(column.heading for column in summary.columns)]
    lines += [_line(map(for_machines, row.cells)) for row in summary.rows]
    return "\n".join(lines)


def _line(fields: Iterable[str]) -> str:
    return ",".join(quoted(field) if field else "" for field in fields)
