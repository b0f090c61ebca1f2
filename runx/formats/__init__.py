"""Ways to write a summary: one module each, and its entry in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from runx.errors import RunxError
from runx.formats import csv, html, json, latex, markdown, parquet, plain, table
from runx.formats.cells import DIGITS
from runx.language.nearest import remedy
from runx.tables.summary import Summary


class Format(NamedTuple):
    """A way to write: what writes, and for whom; people see numbers rounded."""

    render: Callable[[Summary, int], str | bytes]
    people: bool = True


FORMATS: Mapping[str, Format] = {
    "table": Format(table.render),
    "plain": Format(plain.render),
    "markdown": Format(markdown.render),
    "latex": Format(latex.render),
    "html": Format(html.render),
    "csv": Format(csv.render, people=False),
    "tsv": Format(csv.render_tabs, people=False),
    "json": Format(json.render, people=False),
    "jsonl": Format(json.render_lines, people=False),
    "parquet": Format(parquet.render, people=False),
}
"""What ``--format`` knows."""


def format_named(name: str) -> Format:
    """Find a format, or say which there are."""
    if name not in FORMATS:
        raise RunxError(f"--format {name}: there is no such format; {remedy(name, FORMATS)}")
    return FORMATS[name]


def written(name: str, summary: Summary, digits: int = DIGITS) -> str:
    """Write a summary as text."""
    text = format_named(name).render(summary, digits)
    assert isinstance(text, str)
    return text
