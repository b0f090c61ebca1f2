"""Ways to write a summary; the module of each is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from runx.errors import RunxError
from runx.nearest import remedy

if TYPE_CHECKING:
    from runx.analysis.table import Table


class Format(NamedTuple):
    """A way to write: its function, what that takes besides a summary and digits, and for whom.

    People see numbers rounded, and times in hours and minutes.
    """

    function: str
    arguments: tuple[str, ...] = ()
    people: bool = True

    def render(self, summary: Table, digits: int) -> str | bytes:
        """Write a summary, with so many digits of what is rounded."""
        module, _, name = self.function.partition(":")
        content: str | bytes = getattr(import_module(module), name)(
            summary, digits, *self.arguments
        )
        return content


TABULATE = (
    *("asciidoc", "colon_grid", "double_grid", "double_outline", "fancy_grid", "fancy_outline"),
    *("github", "grid", "heavy_grid", "heavy_outline", "html", "jira", "latex", "latex_booktabs"),
    *("latex_longtable", "latex_raw", "mediawiki", "mixed_grid", "mixed_outline", "moinmoin"),
    *("orgtbl", "outline", "pipe", "presto", "pretty", "psql", "rounded_grid", "rounded_outline"),
    *("rst", "simple", "simple_grid", "simple_outline", "textile", "unsafehtml", "youtrack"),
)
"""The formats of tabulate, but for ``plain`` and ``tsv``, which are ours."""


def _by_tabulate(name: str) -> Format:
    return Format("runx.export.tabulated:render", (name,))


FORMATS: Mapping[str, Format] = {
    "table": Format("runx.export.table:render"),
    "plain": Format("runx.export.table:render_plain"),
    "csv": Format("runx.export.data:csv_text", people=False),
    "tsv": Format("runx.export.data:tsv_text", people=False),
    "json": Format("runx.export.data:json_text", people=False),
    "jsonl": Format("runx.export.data:json_lines", people=False),
    "parquet": Format("runx.export.data:parquet_bytes", people=False),
    "markdown": _by_tabulate("pipe"),
    **{name: _by_tabulate(name) for name in TABULATE},
}
"""What ``--format`` knows."""


def format_named(name: str) -> Format:
    """Return a format; RunxError names the nearest where there is none of that name."""
    if name not in FORMATS:
        raise RunxError(f"--format {name}: there is no such format; {remedy(name, FORMATS)}")
    return FORMATS[name]


def written(name: str, summary: Table, digits: int | None = None) -> str:
    """Write a summary as text, with so many digits of what is rounded."""
    from runx.analysis.cells import DIGITS  # not at start: the names alone are needed there

    text = format_named(name).render(summary, digits or DIGITS)
    assert isinstance(text, str)
    return text
