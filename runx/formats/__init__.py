"""Ways to write a summary: one module each, with a function from Summary to text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runx.formats import csv, json, table
from runx.summary import Summary

FORMATS: Mapping[str, Callable[[Summary], str]] = {
    "table": table.render,
    "csv": csv.render,
    "json": json.render,
}
"""What ``--format`` knows."""
