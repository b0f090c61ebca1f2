"""Words with tabs between them and no headings, for cut, awk and read."""

from __future__ import annotations

from runx.formats.body import body
from runx.tables.summary import Summary


def render(summary: Summary, digits: int) -> str:
    """Write the cells alone."""
    return "\n".join("\t".join(cells) for cells in body(summary, digits))
