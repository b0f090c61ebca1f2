"""The cells of a summary as text for people, row by row."""

from __future__ import annotations

from runx.formats.cells import for_people, is_number
from runx.spread import Spread
from runx.summary import Summary


def head(summary: Summary) -> list[str]:
    """Give the headings, each on one line."""
    return [one_line(column.heading) for column in summary.columns]


def body(summary: Summary, digits: int) -> list[list[str]]:
    """Give the cells, each on one line."""
    return [
        [
            one_line(for_people(cell, column, digits))
            for cell, column in zip(row.cells, summary.columns, strict=True)
        ]
        for row in summary.rows
    ]


def right(summary: Summary) -> list[bool]:
    """Say which columns hold numbers, to be lined up at the right."""
    cells = [[row.cells[at] for row in summary.rows] for at in range(len(summary.columns))]
    return [
        any(map(_numeric, column)) and all(one is None or _numeric(one) for one in column)
        for column in cells
    ]


def _numeric(cell: object) -> bool:
    return is_number(cell) or isinstance(cell, Spread)


def one_line(text: str) -> str:
    r"""Make what would break a line, or move a cursor, visible.

    >>> one_line("a\nb")
    'a\\nb'
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]
