"""A run's metrics reduced to numbers: its last epoch, and each metric's best, mean or any epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from runx.analysis.decode import (
    Execution,
    Row,
    counted,
    epoch_and_time,
    parse_rows,
    parsed,
    phase_in,
    split_at,
    split_rows,
)
from runx.rundir.records import Damaged, Record, number, text_of

if TYPE_CHECKING:
    from runx.rundir.records import Metric

_POOLS = ("min", "max", "mean")


class Measure(NamedTuple):
    """A number to read of every run: a metric of a phase, and where in its history.

    ``at`` is last, min, max, mean or the number of an epoch.
    """

    name: str
    metric: str
    at: str = "last"
    phase: str = "val"


class Tally(NamedTuple):
    """What a run has measured: metrics of its last epoch, seconds per epoch, measures by name."""

    metrics: dict[str, Metric]
    epoch: int | float | None
    epoch_time: float | None
    measured: dict[str, Metric]


def joined(first: Tally, other: Tally) -> Tally:
    """Return two tallies as one; the first counts where both have something."""
    epoch, epoch_time = (first if first.metrics else other)[1:3]
    metrics = {**first.metrics, **other.metrics, **first.metrics}
    return Tally(metrics, epoch, epoch_time, {**other.measured, **first.measured})


def tally(
    content: bytes,
    measures: Iterable[Measure] = (),
    damaged: Damaged | None = None,
    phase: str = "val",
    at: float | None = None,
    starts: Sequence[Record] = (),
    names: Sequence[str] | None = None,
) -> Tally:
    r"""Return what a metrics file has of a phase; ``at`` is the epoch to take, None the last.

    ``starts`` are those of the run where the file of the phase has none. ``names`` are metrics that
    were written apart: of each the last value until then is taken.

    >>> tally(b"start,start/step,0,timestamp,0\nval,acc,9,epoch,1,timestamp,5\n")
    Tally(metrics={'acc': 9}, epoch=1, epoch_time=5.0, measured={})
    """
    text = text_of(content)
    phase = phase_in(text, phase)
    try:
        return tally_of(_executions(split_rows(text, phase), starts), measures, at, names)
    except ValueError:
        executions = parse_rows(text, phase, damaged)
        return tally_of(_executions(executions, starts), measures, at, names)


def _executions(executions: list[Execution], starts: Sequence[Record]) -> list[Execution]:
    """Return executions, which are told by ``starts`` where the file itself has no start."""
    if not starts or any(execution.start is not None for execution in executions):
        return executions
    return split_at([row for execution in executions for row in execution.rows], starts)


def tally_of(
    executions: list[Execution],
    measures: Iterable[Measure],
    at: float | None = None,
    names: Sequence[str] | None = None,
) -> Tally:
    """Return what the rows of some executions have; ValueError where a row that counts is damaged.

    A measure that they lack is left out.
    """
    rows = [row for execution in counted(executions) for row in execution.rows]
    metrics, epoch = _last_epoch(rows, at) if names is None else _last_values(rows, at, names)
    measured = {}
    for name, metric, where, _ in measures:
        value = pooled(rows, metric, where) if where in _POOLS else _value_at(rows, metric, where)
        if value is not None:
            measured[name] = value
    return Tally(metrics, epoch, _epoch_time(executions), measured)


def _last_epoch(rows: list[Row], at: float | None) -> tuple[dict[str, Metric], float | None]:
    """Return the metrics of the last row, and of others of its epoch those that it lacks."""
    backwards: Iterator[Row] = reversed(rows)
    if at is not None:
        backwards = (row for row in backwards if epoch_and_time(row)[0] == at)
    last = next(backwards, None)
    if last is None:
        return {}, None
    records = [parsed(last)]
    epoch = records[0].epoch
    for row in backwards:
        if epoch is None or epoch_and_time(row)[0] != epoch:
            break
        records.append(parsed(row))
    merged = {name: value for record in reversed(records) for name, value in record.metrics.items()}
    return merged, epoch


def _last_values(
    rows: list[Row], at: float | None, names: Sequence[str]
) -> tuple[dict[str, Metric], float | None]:
    """Return the last value of each metric, up to an epoch, and the epoch of the last row."""
    found: dict[str, Metric] = {}
    epoch: float | None = None
    for row in reversed(rows):
        of_row = epoch_and_time(row)[0]
        if at is not None and (of_row is None or of_row > at):
            continue
        epoch = of_row if epoch is None else epoch
        for name, value in parsed(row).metrics.items():
            found.setdefault(name, value)
        if len(found) == len(names):
            break
    return {name: found[name] for name in names if name in found}, epoch


def _value_at(rows: list[Row], metric: str, at: str) -> Metric | None:
    """Return the last value of a metric, of all epochs or of the one that ``at`` names."""
    backwards: Iterator[Row] = reversed(rows)
    if at != "last":
        backwards = (row for row in backwards if epoch_and_time(row)[0] == float(at))
    values = (parsed(row).metrics.get(metric) for row in backwards)
    return next((value for value in values if value is not None), None)


def pooled(rows: Sequence[Row], metric: str, how: str) -> Metric | None:
    """Return the min, max or mean of a metric over all rows.

    Text doesn't count, and NaN only where there is nothing else.

    >>> pooled(["acc,9,epoch,0", "acc,10,epoch,1"], "acc", "max")
    10
    """
    texts = _texts(rows, metric)
    if not texts:
        values = [value for row in rows if (value := parsed(row).metrics.get(metric)) is not None]
        return _pooled(values, how)
    if how != "mean":
        try:
            return _extreme(texts, how)
        except ValueError:
            pass  # Not all are numbers.
    return _pooled([number(text) for text in texts], how)


def _texts(rows: Sequence[Row], metric: str) -> list[str] | None:
    """Return a metric's values as rows have them; None where rows must be parsed for them."""
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
    """Return the least or the largest of texts, all of which must be numbers (ValueError).

    Only that one is parsed to its own type, which takes longer than float().
    """
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


def _epoch_time(executions: list[Execution]) -> float | None:
    """Return the mean seconds per epoch; the time between two executions doesn't count."""
    seconds = epochs = 0.0
    before: float | None = None
    for execution in executions:
        if not execution.rows:
            continue
        first, early = epoch_and_time(execution.rows[0])
        last, late = epoch_and_time(execution.rows[-1])
        begun = parsed(execution.start).timestamp if execution.start is not None else early
        if begun is None or late is None:
            return None
        count = _epochs(execution, first, last, before)
        if execution.start is None:
            count -= 1
        seconds += late - begun
        epochs += max(count, 0)
        before = last
    return seconds / epochs if epochs > 0 and seconds >= 0 else None


def _epochs(
    execution: Execution, first: float | None, last: float | None, before: float | None
) -> float:
    """Return how many epochs an execution trained; not each need have been validated."""
    if first is None or last is None:
        return len(execution.rows)
    if before is None or before >= first:
        others = (epoch_and_time(row)[0] for row in execution.rows)
        second = next((epoch for epoch in others if epoch != first), None)
        step = second - first if second is not None else max(first, 1)
        before = first - step
    return max(last - before, 1)


def series(
    content: bytes,
    metric: str,
    phase: str = "val",
    damaged: Damaged | None = None,
    starts: Sequence[Record] = (),
) -> list[tuple[float | None, Metric]]:
    r"""Return a metric's values with their epochs, those that count, in the order of the rows.

    >>> series(b"val,acc,9,epoch,1\nval,acc,8,epoch,2\n", "acc")
    [(1, 9), (2, 8)]
    """
    text = text_of(content)
    executions = parse_rows(text, phase_in(text, phase), damaged)
    records = [
        parsed(row)
        for execution in counted(_executions(executions, starts))
        for row in execution.rows
    ]
    return [(row.epoch, row.metrics[metric]) for row in records if metric in row.metrics]
