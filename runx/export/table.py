"""A table as text for people: lined up in columns, as cells between tabs, or by tabulate."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from runx.analysis.cells import DIGITS, writer
from runx.analysis.columns import Column
from runx.analysis.groups import Spread
from runx.analysis.table import Table, rank
from runx.printable import one_line

_GAP = "  "

_EXPENDABLE = (
    "epoch_time",
    "where",
    "attempt",
    "elapsed",
    "epoch",
    "experiment",
    "metric",
    "resource",
    "hparam",
    "step",
)
"""The kinds of columns that a narrow terminal leaves out, the first first.

The names of runs and what they are ranked by are never left out.
"""

_NUMBERS = frozenset({int, float, Spread})

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"

_Side: TypeAlias = Literal["left", "right"]

_MARKDOWN = ("github", "pipe")

_LATEX = ("latex", "latex_booktabs", "latex_longtable")

_MARKDOWN_MARKS = r"([\\`*_\[\]<>|~]|&(?=#?\w+;))"

# Signs that tabulate doesn't escape and that LaTeX's usual encoding, OT1, prints as others.
_LATEX_SIGNS = str.maketrans({"±": r"\ensuremath{\pm}", "|": r"\textbar{}"})

# LaTeX takes these at the start of a row for an argument of the line before.
_ROW_START = r"(?m)^( *)([\[*])"


def render(table: Table, digits: int = DIGITS) -> str:
    """Return a table lined up in columns, numbers at the right of theirs."""
    return aligned(head(table), body(table, digits), right(table))


def render_plain(table: Table, digits: int) -> str:
    """Return the cells with tabs between them and no headings, for cut, awk and read."""
    return "\n".join("\t".join(cells) for cells in body(table, digits))


def render_bold(table: Table, digits: int, lower: Collection[str]) -> str:
    """Return a table for a terminal, the best of each metric bold."""
    best = best_cells(table, lower)
    return aligned(head(table), body(table, digits), right(table), best)


def render_tabulate(table: Table, digits: int, form: str) -> str:
    """Return a table in a format of tabulate's, numbers at the right of their columns."""
    from tabulate import tabulate

    lines: list[Sequence[str]] = [head(table), *body(table, digits)]
    if form in _MARKDOWN:
        lines = [_as_markdown(cells) for cells in lines]
    sides: list[_Side] = ["right" if number else "left" for number in right(table)]
    text = str(tabulate(lines[1:], lines[0], tablefmt=form, disable_numparse=True, colalign=sides))
    if form in _LATEX:
        return re.sub(_ROW_START, r"\1{\2}", text.translate(_LATEX_SIGNS))
    return text


def _as_markdown(cells: Iterable[str]) -> list[str]:
    r"""Return cells with Markdown's marks escaped; tabulate escapes LaTeX and HTML alone.

    >>> print(_as_markdown(["a|b_c"])[0])
    a\|b\_c
    """
    return [re.sub(_MARKDOWN_MARKS, r"\\\1", cell) for cell in cells]


def best_cells(table: Table, lower: Collection[str]) -> frozenset[tuple[int, int]]:
    """Return the rows and columns of the best values of each metric, where they differ."""
    places = set()
    for at, column in enumerate(table.columns):
        cells = [getattr(row.cells[at], "mean", row.cells[at]) for row in table.rows]
        numbers = [cell for cell in cells if isinstance(cell, (int, float)) and cell == cell]
        if column.kind in ("metric", "measured") and len(set(numbers)) > 1:
            best = min(numbers, key=lambda cell: rank(cell, column.heading in lower))
            places |= {(row, at) for row, cell in enumerate(cells) if cell == best}
    return frozenset(places)


def aligned(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    right: Sequence[bool],
    bold: Collection[tuple[int, int]] = (),
) -> str:
    """Return the cells of a table lined up under its headings; those in ``bold`` are bold.

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


def fitted(table: Table, columns: int, digits: int) -> tuple[Table, list[str]]:
    """Return a table that fits into a number of columns, and the headings of what it lacks."""
    widths = _widths(head(table), body(table, digits))
    places = list(range(len(widths)))
    ranked_by = {key.column.heading for key in table.sorted_by}
    lost = []
    while len(places) > 1 and sum(widths[at] + len(_GAP) for at in places) - len(_GAP) > columns:
        spare = [
            (_EXPENDABLE.index(table.columns[at].kind), -at)
            for at in places
            if table.columns[at].kind in _EXPENDABLE and table.columns[at].heading not in ranked_by
        ]
        if not spare:
            break
        at = -min(spare)[1]
        places.remove(at)
        lost.append(table.columns[at].heading)
    if not lost:
        return table, []
    rows = tuple(row._replace(cells=tuple(row.cells[at] for at in places)) for row in table.rows)
    return table._replace(columns=tuple(table.columns[at] for at in places), rows=rows), lost


def cut(text: str, columns: int) -> str:
    """Return lines cut to a number of columns, with a sign where more was.

    >>> cut("owl   failed\\nfox", 8)
    'owl   f…\\nfox'
    """
    lines = []
    for line in text.splitlines():
        if width(line) > columns:
            while line and width(line) > columns - 1:
                line = line[:-1]
            line += "…"
        lines.append(line)
    return "\n".join(lines)


def width(text: str) -> int:
    """Return the number of columns that a text takes on a terminal.

    >>> width("abc"), width("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def head(table: Table) -> list[str]:
    """Return the headings, each on one line."""
    return [one_line(column.heading) for column in table.columns]


def body(table: Table, digits: int) -> list[tuple[str, ...]]:
    """Return the cells row by row, each on one line."""
    columns = (list(map(writer(column, digits), cells)) for column, cells in _columns(table))
    return list(zip(*map(_one_line_each, columns), strict=True))


def _one_line_each(texts: list[str]) -> list[str]:
    # A whole column is tested at once: hardly any holds a letter that can't be printed.
    return texts if "".join(texts).isprintable() else list(map(one_line, texts))


def right(table: Table) -> list[bool]:
    """Return for each column whether it holds numbers, which are lined up at the right."""
    column_types = (set(map(type, cells)) for _, cells in _columns(table))
    return [bool(types & _NUMBERS) and types <= _NUMBERS | {type(None)} for types in column_types]


def _columns(table: Table) -> Iterator[tuple[Column, list[Any]]]:
    for at, column in enumerate(table.columns):
        yield column, [row.cells[at] for row in table.rows]
