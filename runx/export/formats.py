"""The formats of ``--format``; the module that writes one is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from runx.errors import RunxError
from runx.nearest import suggestion

if TYPE_CHECKING:
    from runx.analysis.table import Table


class Format(NamedTuple):
    """A format: its function as ``module:name``, further arguments of that, and its readers.

    For people numbers are rounded, and times are in hours and minutes.
    """

    function: str
    arguments: tuple[str, ...] = ()
    people: bool = True

    def render(self, table: Table, digits: int) -> str | bytes:
        """Return a table in this format; where numbers are rounded, to ``digits`` digits."""
        module, _, name = self.function.partition(":")
        content: str | bytes = getattr(import_module(module), name)(table, digits, *self.arguments)
        return content


TABULATE = (
    *("asciidoc", "colon_grid", "double_grid", "double_outline", "fancy_grid", "fancy_outline"),
    *("github", "grid", "heavy_grid", "heavy_outline", "html", "jira", "latex", "latex_booktabs"),
    *("latex_longtable", "latex_raw", "mediawiki", "mixed_grid", "mixed_outline", "moinmoin"),
    *("orgtbl", "outline", "pipe", "presto", "pretty", "psql", "rounded_grid", "rounded_outline"),
    *("rst", "simple", "simple_grid", "simple_outline", "textile", "unsafehtml", "youtrack"),
)
"""The formats of the library tabulate, but for ``plain`` and ``tsv``, which are ours."""


def _of_tabulate(name: str) -> Format:
    return Format("runx.export.table:render_tabulate", (name,))


FORMATS: Mapping[str, Format] = {
    "table": Format("runx.export.table:render"),
    "plain": Format("runx.export.table:render_plain"),
    "csv": Format("runx.export.data:csv_text", people=False),
    "csv-safe": Format("runx.export.data:csv_safe_text", people=False),
    "tsv": Format("runx.export.data:tsv_text", people=False),
    "json": Format("runx.export.data:json_text", people=False),
    "jsonl": Format("runx.export.data:json_lines", people=False),
    "parquet": Format("runx.export.data:parquet_bytes", people=False),
    "markdown": _of_tabulate("pipe"),
    **{name: _of_tabulate(name) for name in TABULATE},
}
"""The formats that ``--format`` takes, by name."""


def format_named(name: str) -> Format:
    """Return the format of a name.

    Raises: RunxError: there is none; the message names the nearest.
    """
    if name not in FORMATS:
        raise RunxError(f"--format {name}: there is no such format; {suggestion(name, FORMATS)}")
    return FORMATS[name]


def format_table(name: str, table: Table, digits: int | None = None) -> str:
    """Return a table as text in the format of a name, numbers rounded to ``digits`` digits."""
    from runx.analysis.cells import DIGITS  # not at start: the names alone are needed there

    text = format_named(name).render(table, digits or DIGITS)
    assert isinstance(text, str)
    return text
