"""One number of all that a metric came to: its least, its largest, its mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from runx.analysis.decode import Damaged, Execution, Row, read, unusual, usual, when
from runx.rundir.records import Record, number, rows, text_of

if TYPE_CHECKING:
    from runx.rundir.records import Metric


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


class Measure(NamedTuple):
    """A number that is wanted of every run: a metric, and where in its course.

    ``at`` is last, min, max, mean or the number of an epoch.
    """

    name: str
    metric: str
    at: str = "last"
    phase: str = "val"


class Tally(NamedTuple):
    """What a run has measured: metrics of the last epoch, seconds an epoch, what was asked for."""

    metrics: dict[str, Metric]
    epoch: int | float | None
    epoch_time: float | None
    measured: dict[str, Metric]


def tally(
    content: bytes,
    measures: Iterable[Measure] = (),
    damaged: Damaged | None = None,
    phase: str = "val",
    at: float | None = None,
) -> Tally:
    r"""Sum up a metrics file; ``at`` is the epoch that counts, the last where it is None.

    >>> tally(b"start,start/step,0,timestamp,0\nval,acc,9,epoch,1,timestamp,5\n")
    Tally(metrics={'acc': 9}, epoch=1, epoch_time=5.0, measured={})
    """
    text = text_of(content)
    try:
        return summed(usual(text, phase), measures, at)
    except ValueError:
        return summed(unusual(text, phase, damaged), measures, at)


def series(
    content: bytes, metric: str, phase: str = "val", damaged: Damaged | None = None
) -> list[tuple[float | None, Metric]]:
    r"""Give a metric's values with their epochs, in the order in which they were written.

    >>> series(b"val,acc,9,epoch,1\nval,acc,8,epoch,2\n", "acc")
    [(1, 9), (2, 8)]
    """
    found = (row for row in rows(content, damaged) if row.phase == phase)
    return [(row.epoch, row.metrics[metric]) for row in found if metric in row.metrics]


def summed(
    executions: list[Execution], measures: Iterable[Measure], at: float | None = None
) -> Tally:
    """Sum up the rows of a file that have been sorted."""
    rows = [row for one in executions for row in one.rows]
    metrics, epoch = _last_epoch(rows, at)
    measured = {wanted.name: _measured(rows, wanted) for wanted in measures}
    return Tally(
        metrics,
        epoch,
        _epoch_time(executions),
        {name: value for name, value in measured.items() if value is not None},
    )


def _last_epoch(rows: list[Row], at: float | None) -> tuple[dict[str, Metric], float | None]:
    """Give the metrics of the last row, and of the others of its epoch what that one lacks."""
    backwards: Iterator[Row] = reversed(rows)
    if at is not None:
        backwards = (row for row in backwards if when(row)[0] == at)
    last = next(backwards, None)
    if last is None:
        return {}, None
    found = [read(last)]
    epoch = found[0].epoch
    for row in backwards:
        if epoch is None or when(row)[0] != epoch:
            break
        found.append(read(row))
    merged = {name: value for row in reversed(found) for name, value in row.metrics.items()}
    return merged, epoch


def _epoch_time(executions: list[Execution]) -> float | None:
    """Give the seconds an epoch took on average; the time between two attempts is nobody's."""
    seconds = epochs = 0.0
    before: float | None = None
    for one in executions:
        if not one.rows:
            continue
        (first, early), (last, late) = when(one.rows[0]), when(one.rows[-1])
        begun = read(one.start).timestamp if one.start is not None else early
        if begun is None or late is None:
            return None
        took = _covered(one, first, last, before)
        if one.start is None:
            took -= 1
        seconds += late - begun
        epochs += max(took, 0)
        before = last
    return seconds / epochs if epochs > 0 and seconds >= 0 else None


def _covered(
    one: Execution, first: float | None, last: float | None, before: float | None
) -> float:
    """Count the epochs that an attempt went through; not each need have been validated."""
    if first is None or last is None:
        return len(one.rows)
    if before is None or before >= first:
        others = (when(row)[0] for row in one.rows)
        second = next((epoch for epoch in others if epoch != first), None)
        step = second - first if second is not None else max(first, 1)
        before = first - step
    return max(last - before, 1)


def _measured(rows: list[Row], wanted: Measure) -> Metric | None:
    """Find the one number that a measure asks for; None where the run has none."""
    if wanted.at in ("min", "max", "mean"):
        return pooled(rows, wanted.metric, wanted.at)
    backwards: Iterator[Row] = reversed(rows)
    if wanted.at != "last":
        backwards = (row for row in backwards if when(row)[0] == float(wanted.at))
    found = (read(row).metrics.get(wanted.metric) for row in backwards)
    return next((value for value in found if value is not None), None)
