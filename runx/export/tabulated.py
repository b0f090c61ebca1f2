"""Tables for people by the library tabulate: Markdown, LaTeX, HTML, boxes, wikis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from runx.analysis.table import Table
from runx.export.table import body, head, right

_Side: TypeAlias = Literal["left", "right"]


_MARKDOWN = ("github", "pipe")


_LATEX = ("latex", "latex_booktabs", "latex_longtable")


_MARKS = re.compile(r"([\\`*_\[\]<>|~]|&(?=#?\w+;))")


# What tabulate leaves as it is, and OT1, the encoding that LaTeX begins with, prints otherwise.
_SIGNS = str.maketrans({"±": r"\ensuremath{\pm}", "|": r"\textbar{}"})


# After the end of a row or a rule these would be taken for an argument of it.
_ROW_START = re.compile(r"^( *)([\[*])", re.MULTILINE)


def render(summary: Table, digits: int, form: str) -> str:
    """Write a summary in a format of tabulate's; numbers are aligned right."""
    from tabulate import tabulate

    lines: list[Sequence[str]] = [head(summary), *body(summary, digits)]
    if form in _MARKDOWN:
        lines = [_as_markdown(cells) for cells in lines]
    sides: list[_Side] = ["right" if number else "left" for number in right(summary)]
    text = str(
        tabulate(
            lines[1:],
            headers=lines[0],
            tablefmt=form,
            disable_numparse=True,
            colalign=sides,
        )
    )
    return _ROW_START.sub(r"\1{\2}", text.translate(_SIGNS)) if form in _LATEX else text


def _as_markdown(cells: Iterable[str]) -> list[str]:
    r"""Escape what Markdown would take for a mark; tabulate escapes LaTeX and HTML alone.

    >>> print(_as_markdown(["a|b_c"])[0])
    a\|b\_c
    """
    return [_MARKS.sub(r"\\\1", cell) for cell in cells]
