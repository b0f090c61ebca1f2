"""A table for people, in columns that line up."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from runx.formats.cells import DIGITS, for_people, is_number
from runx.summary import Summary

_GAP = "  "


def render(summary: Summary, digits: int = DIGITS) -> str:
    """Write a summary as lines of text, numbers at the right of their columns."""
    body = [
        [
            _one_line(for_people(cell, column, digits))
            for cell, column in zip(row.cells, summary.columns, strict=True)
        ]
        for row in summary.rows
    ]
    right = [
        any(is_number(row.cells[at]) for row in summary.rows)
        and all(row.cells[at] is None or is_number(row.cells[at]) for row in summary.rows)
        for at in range(len(summary.columns))
    ]
    return aligned([_one_line(column.heading) for column in summary.columns], body, right)


def aligned(head: Sequence[str], body: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Line up the cells of a table under its head.

    >>> print(aligned(["run", "acc"], [["owl", "9.5"], ["rattlesnake", "10"]], [False, True]))
    run          acc
    -----------  ---
    owl          9.5
    rattlesnake   10
    """
    columns = list(zip(head, *body, strict=True))
    widths = [max(map(width, column)) for column in columns]
    rule = ["-" * wide for wide in widths]
    lines = []
    for cells in (head, rule, *body):
        padded = [
            " " * (wide - width(cell)) + cell if at_right else cell + " " * (wide - width(cell))
            for cell, wide, at_right in zip(cells, widths, right, strict=True)
        ]
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    """Count the columns that a text takes on a terminal.

    >>> width("abc"), width("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]
