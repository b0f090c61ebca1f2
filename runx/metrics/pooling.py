"""One number of all that a metric came to: its least, its largest, its mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from runx.metrics.decoding import number
from runx.metrics.executions import Row, read
from runx.metrics.records import Record

if TYPE_CHECKING:
    from runx.metrics.records import Metric


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
    if not rows or Record in set(map(type, rows)) or "," in metric:
        return None
    lines = cast("Sequence[str]", rows)
    key, first = f",{metric},", f"{metric},"
    texts = [line.partition(key)[2].partition(",")[0] for line in lines]
    if "" in texts:
        texts = [text for text in texts if text]
        leading = [line[len(first) :] for line in lines if line.startswith(first)]
        if leading:
            return None if texts else [rest.partition(",")[0] for rest in leading]
    # A name has an odd number of commas before its own; else it is a value of the same text.
    ends = (line.partition(key)[0].count(",") for line in (lines[0], lines[-1]) if key in line)
    return None if any(count % 2 == 0 for count in ends) else texts


def _extreme(texts: Sequence[str], how: str) -> Metric | None:
    """Find the least or the largest without making numbers twice of all; ValueError for text."""
    floats = list(map(float, texts))
    if (total := sum(floats)) != total or "_" in "".join(texts):
        raise ValueError("not only numbers")
    best = max(floats) if how == "max" else min(floats)
    if floats.count(best) == 1:
        return number(texts[floats.index(best)])
    return _pooled([number(text) for text in texts if float(text) == best], how)


def _pooled(values: Sequence[Metric], how: str) -> Metric | None:
    numbers = [value for value in values if not isinstance(value, str)]
    if how == "mean":
        return sum(numbers) / len(numbers) if numbers else None
    real = [value for value in numbers if value == value]
    if not real:
        return numbers[0] if numbers else None
    return max(real) if how == "max" else min(real)
