"""What a metrics file comes to: the last epoch, how long one takes, and what else is asked for.

Every run's file is read for a table, so that a row is taken apart only where it counts. Where
anything looks unusual, the whole file is decoded, which also tells what is damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runx.records import Record, number, parse, rows, text_of

if TYPE_CHECKING:
    from runx.records import Metric

Damaged: TypeAlias = Callable[[int, str], None]
Row: TypeAlias = "str | Record"


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


class Attempt(NamedTuple):
    """The rows that one execution of the script has written: its start, and those of a phase."""

    start: Row | None
    rows: list[Row]


class Moment(NamedTuple):
    """When a row was written."""

    epoch: float | None
    timestamp: float | None


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
        return _summed(_lines(text, phase), measures, at)
    except ValueError:
        return _summed(_records(text, phase, damaged), measures, at)


def series(
    content: bytes, metric: str, phase: str = "val", damaged: Damaged | None = None
) -> list[tuple[float | None, Metric]]:
    r"""Give a metric's values with their epochs, in the order in which they were written.

    >>> series(b"val,acc,9,epoch,1\nval,acc,8,epoch,2\n", "acc")
    [(1, 9), (2, 8)]
    """
    found = (row for row in rows(content, damaged) if row.phase == phase)
    return [(row.epoch, row.metrics[metric]) for row in found if metric in row.metrics]


def _lines(text: str, phase: str) -> list[Attempt]:
    """Sort the lines of a usual file, unread; ValueError where it isn't usual."""
    lines = (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")
    # Ends of lines are looked at one by one: in a text full of commas ",\n" is found slowly.
    if lines.pop() or '"' in text or "," in {line[-1:] for line in lines}:
        raise ValueError("not a usual file")
    wanted = f"{phase},"
    if text.startswith("start,") and {line[: len(wanted)] for line in lines[1:]} <= {wanted}:
        return [Attempt(lines[0], list(lines[1:]))]
    attempts = [Attempt(None, [])]
    for line in lines:
        if line.startswith(wanted):
            attempts[-1].rows.append(line)
        elif line.startswith("start,"):
            attempts.append(Attempt(line, []))
    return attempts


def _records(text: str, phase: str, damaged: Damaged | None) -> list[Attempt]:
    """Decode and sort the rows of any file."""
    attempts = [Attempt(None, [])]
    for row in rows(text, damaged):
        if row.phase == phase:
            attempts[-1].rows.append(row)
        elif row.phase == "start":
            attempts.append(Attempt(row, []))
    return attempts


def _read(row: Row) -> Record:
    return row if isinstance(row, Record) else parse(row)


def _moment(row: Row) -> Moment:
    """Read when a row was written, which stands at its end, without taking the rest apart.

    >>> _moment("val,acc,9,epoch,1,timestamp,5")
    Moment(epoch=1, timestamp=5)
    """
    if isinstance(row, str) and row.count(",") % 2 == 0:
        names = row.rsplit(",", 4)[1:]
        if names[::2] == ["epoch", "timestamp"]:
            epoch, timestamp = map(number, names[1::2])
            if not (isinstance(epoch, str) or isinstance(timestamp, str)):
                return Moment(epoch, timestamp)
    found = _read(row)
    return Moment(found.epoch, found.timestamp)


def _summed(attempts: list[Attempt], measures: Iterable[Measure], at: float | None = None) -> Tally:
    metrics, epoch = _last_epoch(attempts, at)
    measured = {wanted.name: _measured(attempts, wanted) for wanted in measures}
    return Tally(
        metrics,
        epoch,
        _epoch_time(attempts),
        {name: value for name, value in measured.items() if value is not None},
    )


def _last_epoch(
    attempts: list[Attempt], at: float | None
) -> tuple[dict[str, Metric], float | None]:
    """Give the metrics of the last row, and of the others of its epoch what that one lacks."""
    backwards = (_read(row) for attempt in reversed(attempts) for row in reversed(attempt.rows))
    if at is not None:
        backwards = (row for row in backwards if row.epoch == at)
    last = next(backwards, None)
    if last is None:
        return {}, None
    found = [last]
    for row in backwards:
        if row.epoch is None or row.epoch != last.epoch:
            break
        found.append(row)
    merged = {name: value for row in reversed(found) for name, value in row.metrics.items()}
    return merged, last.epoch


def _epoch_time(attempts: list[Attempt]) -> float | None:
    """Give the seconds an epoch took on average; the time between two attempts is nobody's."""
    seconds = epochs = 0.0
    before: float | None = None
    for attempt in attempts:
        if not attempt.rows:
            continue
        first, last = _moment(attempt.rows[0]), _moment(attempt.rows[-1])
        begun = _moment(attempt.start) if attempt.start is not None else first
        if begun.timestamp is None or last.timestamp is None:
            return None
        took = _covered(attempt, first, last, before)
        if begun is first:
            took -= 1
        seconds += last.timestamp - begun.timestamp
        epochs += max(took, 0)
        before = last.epoch
    return seconds / epochs if epochs > 0 and seconds >= 0 else None


def _covered(attempt: Attempt, first: Moment, last: Moment, before: float | None) -> float:
    """Count the epochs that an attempt went through; not each need have been validated."""
    if first.epoch is None or last.epoch is None:
        return len(attempt.rows)
    if before is None or before >= first.epoch:
        others = (_moment(row).epoch for row in attempt.rows)
        second = next((epoch for epoch in others if epoch != first.epoch), None)
        step = second - first.epoch if second is not None else max(first.epoch, 1)
        before = first.epoch - step
    return max(last.epoch - before, 1)


def _measured(attempts: list[Attempt], wanted: Measure) -> Metric | None:
    """Find the one number that a measure asks for; None where the run has none."""
    every = (row for attempt in attempts for row in attempt.rows)
    if wanted.at in ("min", "max", "mean"):
        return _pooled(_values(every, wanted.metric), wanted.at)
    found = [row for row in map(_read, every) if wanted.metric in row.metrics]
    if wanted.at != "last":
        found = [row for row in found if row.epoch == float(wanted.at)]
    return found[-1].metrics[wanted.metric] if found else None


def _pooled(values: list[Metric], how: str) -> Metric | None:
    """Make one number of many; text doesn't count, and NaN only where there is nothing else."""
    numbers = [value for value in values if not isinstance(value, str)]
    if how == "mean":
        return sum(numbers) / len(numbers) if numbers else None
    real = [value for value in numbers if value == value]
    if not real:
        return numbers[0] if numbers else None
    return max(real) if how == "max" else min(real)


def _values(rows: Iterable[Row], metric: str) -> list[Metric]:
    """Give the values that rows have for a metric, without taking the rows apart."""
    found = []
    key = f",{metric},"
    for row in rows:
        if isinstance(row, Record):
            if metric in row.metrics:
                found.append(row.metrics[metric])
            continue
        at = row.find(key)
        # A name has an even number of commas before it; what has not is a value of the same text.
        while at >= 0 and row.count(",", 0, at) % 2:
            at = row.find(key, at + 1)
        if at >= 0:
            begin = at + len(key)
            end = row.find(",", begin)
            found.append(number(row[begin:end] if end >= 0 else row[begin:].rstrip("\r")))
    return found
