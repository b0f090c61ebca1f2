"""The cells of a summary as text for people, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runx.formats.cells import writer
from runx.tables.columns import Column
from runx.tables.spread import Spread
from runx.tables.summary import Summary


def head(summary: Summary) -> list[str]:
    """Give the headings, each on one line."""
    return [one_line(column.heading) for column in summary.columns]


def body(summary: Summary, digits: int) -> list[tuple[str, ...]]:
    """Give the cells, each on one line."""
    columns = (list(map(writer(column, digits), cells)) for column, cells in _columns(summary))
    return list(zip(*map(_lines, columns), strict=True))


def _lines(texts: list[str]) -> list[str]:
    # All of a column at once, since hardly any has a letter that is not to be printed.
    return texts if "".join(texts).isprintable() else list(map(one_line, texts))


def right(summary: Summary) -> list[bool]:
    """Say which columns hold numbers, to be lined up at the right."""
    kinds = (set(map(type, cells)) for _, cells in _columns(summary))
    return [bool(found & _NUMBERS) and found <= _NUMBERS | {type(None)} for found in kinds]


_NUMBERS = frozenset({int, float, Spread})


def _columns(summary: Summary) -> Iterator[tuple[Column, list[Any]]]:
    for at, column in enumerate(summary.columns):
        yield column, [row.cells[at] for row in summary.rows]


def one_line(text: str) -> str:
    r"""Make what would break a line, or move a cursor, visible.

    >>> one_line("a\nb")
    'a\\nb'
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]
