"""JSON files of metrics: a JSON object a line, or one with the results or the history of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.readers.base import FileReader, Row, Warn
from runx.readers.shaping import counter, flat, measurement, rows_of
from runx.rundir.files import unblocked
from runx.rundir.records import text_of

LINES = (".jsonl", ".ndjson", ".json", ".log", ".txt")
"""The ends of the names of files that may have JSON lines."""
_NAMED = frozenset(
    {
        *("result", "results", "metric", "metrics", "score", "scores", "eval", "evaluation"),
        *("history", "log", "logs", "stats", "statistics", "summary", "performance", "accuracy"),
    }
)
"""Words in the names of files that hold metrics: other JSON is configuration or data."""
_MOST = 1_000
"""An object of more numbers is data."""
_HEAD, _TRIED = 1 << 16, 20  # bytes, and lines in them that are looked at


def recognise_lines(path: str) -> bool:
    """Return whether a file has a JSON object a line, with an epoch or a step, or by its name."""
    if not path.lower().endswith(LINES):
        return False
    with open(path, "rb", opener=unblocked) as file:
        head = file.read(_HEAD) if file.read(1) == b"{" else b""
    lines = text_of(b"{" + head).split("\n")[:_TRIED] if head else []
    objects = [content for line in lines if (content := _object(line)) is not None]
    if path.endswith(".json") and len(objects) < 2:
        return False
    return any(
        counter(name) in ("epoch", "step") for each in objects for name, _ in flat(each)
    ) or (bool(objects) and _is_named(path))


def read_lines(path: str, warn: Warn) -> list[Row]:
    """Return the rows of a file of JSON lines; lines that are none are left out."""
    return rows_of([measurement(dict(flat(each))) for each in objects_of(path)])


def objects_of(path: str) -> list[dict[str, Any]]:
    """Return the JSON objects in the lines of a file."""
    contents = map(_object, text_of(Path(path).read_bytes()).split("\n"))
    return [content for content in contents if content is not None]


def recognise_results(path: str) -> bool:
    """Return whether a file is JSON and is called results, metrics, history or the like."""
    return path.lower().endswith(".json") and _is_named(path)


def read_results(path: str, warn: Warn) -> list[Row]:
    """Return the numbers of a JSON file: one row, or a row for each item of its lists."""
    try:
        content = json.loads(text_of(Path(path).read_bytes()))
    except (ValueError, RecursionError):
        return []  # Half written, or somebody else's.
    return rows_of([measurement(cells) for cells in _objects(content)])


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON file.

    >>> list(_objects({"loss": [2, 1], "val_loss": [4, 3]}))
    [{'loss': 2, 'val_loss': 4}, {'loss': 1, 'val_loss': 3}]
    """
    if isinstance(content, list):
        yield from (dict(flat(each)) for each in content if isinstance(each, Mapping))
        return
    cells = dict(flat(content)) if isinstance(content, Mapping) else {}
    lists = {name: cell for name, cell in cells.items() if isinstance(cell, list)}
    longest = max(map(len, lists.values()), default=0)
    yield from (
        {name: cell[at] for name, cell in lists.items() if at < len(cell)} for at in range(longest)
    )
    single = {name: cell for name, cell in cells.items() if isinstance(cell, (int, float))}
    if 0 < len(single) <= _MOST:
        yield single


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _is_named(path: str) -> bool:
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return not _NAMED.isdisjoint(re.split(r"[\W_\d]+", stem.lower()))


LINES_READER = FileReader("JSON lines", recognise_lines, read_lines)
RESULTS_READER = FileReader("JSON", recognise_results, read_results)
