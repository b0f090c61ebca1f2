"""A Markdown table, for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runx.formats.body import body, head, right
from runx.formats.table import width
from runx.tables.summary import Summary

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~]|&(?=#?\w+;))")


def render(summary: Summary, digits: int) -> str:
    """Write a table as GitHub and Pandoc read it, lined up in the source too."""
    lines = [
        [_escaped(cell) for cell in cells] for cells in (head(summary), *body(summary, digits))
    ]
    at_right = right(summary)
    widths = [max(3, *map(width, column)) for column in zip(*lines, strict=True)]
    rule = [
        "-" * (wide - 1) + ":" if number else "-" * wide
        for wide, number in zip(widths, at_right, strict=True)
    ]
    first, *rest = [_padded(cells, widths, at_right) for cells in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (first, rule, *rest))


def _padded(cells: Sequence[str], widths: Sequence[int], at_right: Sequence[bool]) -> list[str]:
    gaps = [" " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True)]
    return [
        gap + cell if number else cell + gap
        for cell, gap, number in zip(cells, gaps, at_right, strict=True)
    ]


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
