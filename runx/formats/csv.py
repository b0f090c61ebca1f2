"""Comma- or tab-separated values, complete, for spreadsheets and programs."""

from __future__ import annotations

from collections.abc import Iterable

from runx.formats.cells import for_machines
from runx.metrics.records import quoted
from runx.tables.summary import Summary


def render(summary: Summary, digits: int = 0) -> str:
    """Write a summary with a line of headings; times are in seconds, every digit is there."""
    return "\n".join(
        ",".join(quoted(cell) if cell else "" for cell in row) for row in _rows(summary)
    )


def render_tabs(summary: Summary, digits: int = 0) -> str:
    r"""Write the same with tabs; a tab or the end of a line in a cell is written \t or \n."""
    return "\n".join("\t".join(map(_one_word, row)) for row in _rows(summary))


def _rows(summary: Summary) -> Iterable[list[str]]:
    yield [column.heading for column in summary.columns]
    for row in summary.rows:
        yield [for_machines(cell) for cell in row.cells]


def _one_word(cell: str) -> str:
    for letter, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        cell = cell.replace(letter, written)
    return cell
