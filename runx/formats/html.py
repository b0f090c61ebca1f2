"""An HTML table, to be put into a page or shown by a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from runx.formats.body import body, head, right
from runx.tables.summary import Summary


def render(summary: Summary, digits: int) -> str:
    """Write a table element without style but for where numbers stand."""
    at_right = right(summary)
    lines = ["<table>", "<thead>", _row("th", head(summary), at_right), "</thead>", "<tbody>"]
    lines += [_row("td", cells, at_right) for cells in body(summary, digits)]
    return "\n".join([*lines, "</tbody>", "</table>"])


def _row(tag: str, cells: Sequence[str], at_right: list[bool]) -> str:
    inner = ""
    for cell, number in zip(cells, at_right, strict=True):
        style = ' style="text-align:right"' if number else ""
        inner += f"<{tag}{style}>{escape(cell)}</{tag}>"
    return f"<tr>{inner}</tr>"
