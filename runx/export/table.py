"""A table as text for people: in columns that line up, or words with tabs between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from runx.analysis.cells import DIGITS, writer
from runx.analysis.columns import Column
from runx.analysis.groups import Spread
from runx.analysis.table import Table, rank

_GAP = "  "


# What a narrow terminal loses first; the runs' names and what they are ranked by it never does.
_EXPENDABLE = (
    "epoch_time",
    "where",
    "attempt",
    "epoch",
    "experiment",
    "metric",
    "resource",
    "hparam",
)


_NUMBERS = frozenset({int, float, Spread})


_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def render(summary: Table, digits: int = DIGITS) -> str:
    """Write a summary as lines of text, numbers at the right of their columns."""
    return aligned(head(summary), body(summary, digits), right(summary))


def render_plain(summary: Table, digits: int) -> str:
    """Write the cells alone with tabs between them and no headings, for cut, awk and read."""
    return "\n".join("\t".join(cells) for cells in body(summary, digits))


def render_bold(summary: Table, digits: int, lower: Collection[str]) -> str:
    """Write a summary for a terminal, the best of each metric bold."""
    best = best_cells(summary, lower)
    return aligned(head(summary), body(summary, digits), right(summary), best)


def best_cells(summary: Table, lower: Collection[str]) -> frozenset[tuple[int, int]]:
    """Find the row and column of the best value of each metric, where not all are alike."""
    found = set()
    for at, column in enumerate(summary.columns):
        cells = [getattr(row.cells[at], "mean", row.cells[at]) for row in summary.rows]
        numbers = [cell for cell in cells if isinstance(cell, (int, float)) and cell == cell]
        if column.kind in ("metric", "measured") and len(set(numbers)) > 1:
            best = min(numbers, key=lambda cell: rank(cell, column.heading in lower))
            found |= {(row, at) for row, cell in enumerate(cells) if cell == best}
    return frozenset(found)


def aligned(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    right: Sequence[bool],
    bold: Collection[tuple[int, int]] = (),
) -> str:
    """Line up the cells of a table under its head.

    >>> print(aligned(["run", "acc"], [["owl", "9.5"], ["rattlesnake", "10"]], [False, True]))
    run          acc
    -----------  ---
    owl          9.5
    rattlesnake   10
    """
    widths = _widths(head, body)
    lines = [_line(head, widths, right), _line(["-" * wide for wide in widths], widths, right)]
    signs = ("" if at_right else "-" for at_right in right)
    pattern = _GAP.join(f"%{sign}{wide}s" for sign, wide in zip(signs, widths, strict=True))
    marks: dict[int, list[int]] = {}
    for number, at in bold:
        marks.setdefault(number, []).append(at)
    for number, cells in enumerate(body):
        if number in marks or not "".join(cells).isascii():
            lines.append(_line(cells, widths, right, marks.get(number, ())))
        else:
            lines.append((pattern % tuple(cells)).rstrip())
    return "\n".join(lines)


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], bold: Sequence[int] = ()
) -> str:
    padded = []
    for at, cell in enumerate(cells):
        gap = " " * (widths[at] - width(cell))
        shown = f"{_BOLD}{cell}{_PLAIN}" if at in bold else cell
        padded.append(gap + shown if right[at] else shown + gap)
    return _GAP.join(padded).rstrip()


def _widths(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    columns = zip(head, *body, strict=True)
    return [max(map(len if "".join(column).isascii() else width, column)) for column in columns]


def fitted(summary: Table, columns: int, digits: int) -> tuple[Table, list[str]]:
    """Leave out what matters least until a table fits; also name what is left out."""
    widths = _widths(head(summary), body(summary, digits))
    kept = list(range(len(widths)))
    ranked_by = {key.column.heading for key in summary.sorted_by}
    lost = []
    while len(kept) > 1 and sum(widths[at] + len(_GAP) for at in kept) - len(_GAP) > columns:
        spare = [
            (_EXPENDABLE.index(summary.columns[at].kind), -at)
            for at in kept
            if summary.columns[at].kind in _EXPENDABLE
            and summary.columns[at].heading not in ranked_by
        ]
        if not spare:
            break
        at = -min(spare)[1]
        kept.remove(at)
        lost.append(summary.columns[at].heading)
    if not lost:
        return summary, []
    rows = tuple(row._replace(cells=tuple(row.cells[at] for at in kept)) for row in summary.rows)
    return summary._replace(columns=tuple(summary.columns[at] for at in kept), rows=rows), lost


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


def head(summary: Table) -> list[str]:
    """Return the headings, each on one line."""
    return [one_line(column.heading) for column in summary.columns]


def body(summary: Table, digits: int) -> list[tuple[str, ...]]:
    """Return the cells row by row, each on one line."""
    columns = (list(map(writer(column, digits), cells)) for column, cells in _columns(summary))
    return list(zip(*map(_lines, columns), strict=True))


def _lines(texts: list[str]) -> list[str]:
    # All of a column at once, since hardly any has a letter that is not to be printed.
    return texts if "".join(texts).isprintable() else list(map(one_line, texts))


def right(summary: Table) -> list[bool]:
    """Return which columns hold numbers, to be lined up at the right."""
    kinds = (set(map(type, cells)) for _, cells in _columns(summary))
    return [bool(of & _NUMBERS) and of <= _NUMBERS | {type(None)} for of in kinds]


def _columns(summary: Table) -> Iterator[tuple[Column, list[Any]]]:
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
