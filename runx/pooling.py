"""One number of all that a metric came to: its least, its largest, its mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from runx.executions import Row, read
from runx.records import Record, number

if TYPE_CHECKING:
    from runx.records import Metric


def pooled(rows: Sequence[Row], metric: str, how: str) -> Metric | None:
    """Make one number of a metric in all rows; ``how`` is min, max or mean.

    Text doesn't count, and NaN only where there is nothing else.

    >>> pooled(["acc,9,epoch,0", "acc,10,epoch,1"], "acc", "max")
    10
    """
    texts = _texts(rows, metric)
    if not texts:
        values = [found for row in rows if (found := read(row).metrics.get(metric)) is not None]
        return _pooled(values, how)
    if how != "mean":
        try:
            return _extreme(texts, how)
        except ValueError:
            pass  # Not all are numbers.
    return _pooled([number(text) for text in texts], how)


def _texts(rows: Sequence[Row], metric: str) -> list[str] | None:
    """Give a metric's values as rows have them; None where rows have to be read to tell."""
    if Record in set(map(type, rows)) or "," in metric:
        return None
    lines = cast("Sequence[str]", rows)
    parts = [line.partition(f",{metric},") for line in lines]
    texts = [rest.partition(",")[0] for _, there, rest in parts if there]
    # A name has an odd number of commas before its own; else it is a value of the same text.
    counts = {before.count(",") for before, there, _ in parts if there}
    if any(count % 2 == 0 for count in counts):
        return None
    if len(texts) < len(lines):
        first = f"{metric},"
        leading = [line[len(first) :].partition(",")[0] for line in lines if line.startswith(first)]
        if leading and texts:
            return None
        return texts or leading
    return texts


def _extreme(texts: Sequence[str], how: str) -> Metric | None:
    """Find the least or the largest without making numbers twice of all; ValueError for text."""
    floats = list(map(float, texts))
    if (total := sum(floats)) != total or "_" in "".join(texts):
        raise ValueError("not only numbers")
    best = max(floats) if how == "max" else min(floats)
    found = [number(text) for text, value in zip(texts, floats, strict=True) if value == best]
    return found[0] if len(found) == 1 else _pooled(found, how)


def _pooled(values: Sequence[Metric], how: str) -> Metric | None:
    numbers = [value for value in values if not isinstance(value, str)]
    if how == "mean":
        return sum(numbers) / len(numbers) if numbers else None
    real = [value for value in numbers if value == value]
    if not real:
        return numbers[0] if numbers else None
    return max(real) if how == "max" else min(real)
