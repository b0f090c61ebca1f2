"""What an index has of each run: a row of values, in columns on disk.

The names that many rows share (of files, hyperparameters, metrics) are written once, and the rows a
column at a time: that is read in a third of the time that a JSON object for each run takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

from runx.rundir.events import Attempt, Event, JobAddress
from runx.rundir.paths import RunDir
from runx.rundir.run import OWN_TOOL, RunRecord, StepRecord
from runx.rundir.states import PASSED, State

OWN = (
    *("mark", "epoch", "epoch_time", "state", "attempts", "tool", "code", "tag", "labels"),
    *("ablation", "steps", "trial"),
)
"""The values that every row begins with.

With another tool's name come those of the run and of its experiment, which a path doesn't tell.
"""


class Shape(NamedTuple):
    """The names of a row's other values, in their order."""

    files: tuple[str, ...]
    hparams: tuple[str, ...]
    resources: tuple[str, ...]
    metrics: tuple[str, ...]
    measured: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of values in a row."""
        return len(OWN) + sum(map(len, self[1:]))


Entry: TypeAlias = tuple[Shape, tuple[Any, ...]]
"""A run's row, and the names of its values."""
Entries: TypeAlias = dict[str, Entry]
"""Entries by the names of their runs."""


def entry(record: RunRecord, files: Iterable[str], mark: int, measured: Mapping[str, Any]) -> Entry:
    """Return the entry of a run; ``mark`` is of the stamps of its ``files``."""
    sources = record.sources
    is_own = record.tool == OWN_TOOL
    title = record.tool if is_own else (record.tool, record.name, record.experiment)
    names = (files, record.hparams, record.resources, record.metrics, measured, sources)
    return Shape(*map(tuple, names)), (
        *(mark, record.epoch, record.epoch_time, record.status),
        [_flat(attempt) for attempt in record.attempts],
        *(title, record.code, record.tag, record.labels, record.ablation),
        [record.step, [_flat_step(step, record.dir) for step in record.steps]],
        record.trial,
        *record.hparams.values(),
        *record.resources.values(),
        *record.metrics.values(),
        *measured.values(),
        *sources.values(),
    )


def parts(entry: Entry) -> list[dict[str, Any]]:
    """Return an entry's hparams, resources, metrics, measures and sources.

    Raises ValueError if it is damaged.
    """
    shape, row = entry
    at, mappings = len(OWN), []
    for names in shape[1:]:
        mappings.append(dict(zip(names, row[at : at + len(names)], strict=True)))
        at += len(names)
    if at != len(row):
        raise ValueError("it has more values than names")
    return mappings


def _flat(attempt: Attempt) -> list[Any]:
    """Return an attempt as JSON has it: the events that tables need, default values at its end."""
    events = [
        (
            event.name,
            event.time,
            {key: event.details[key] for key in _DETAILS & event.details.keys()},
        )
        for name in ("started", "ended")
        if (event := attempt.event(name))
    ]
    rest = [*attempt[2:]]
    while rest and rest[-1] == _DEFAULTS[len(rest) - 1]:
        rest.pop()
    return [attempt.number, events, *rest]


def _flat_step(step: StepRecord, run: RunDir) -> list[Any]:
    """Return a step as JSON has it, its directory relative to that of its run."""
    name, dir, after, is_own, status, attempts = step
    place = os.path.relpath(dir, run)
    return [name, place, dict(after), is_own, status, [_flat(each) for each in attempts]]


_DETAILS = {"code", "blocked", *PASSED}
"""What tables need of an event beside its time."""
_DEFAULTS = Attempt(0)[2:]
_JOB = Attempt._fields.index("job") - 2


def attempts_in(entry: Entry) -> tuple[Attempt, ...]:
    """Return the attempts of an entry's run, with those of their events that tables need."""
    return _attempts(entry[1][4])


def steps_in(entry: Entry, run: RunDir) -> tuple[str, tuple[StepRecord, ...]]:
    """Return the step that the state of an entry's run is of, and all that the run needs."""
    step, flat = entry[1][OWN.index("steps")]
    steps = (
        StepRecord(
            name,
            RunDir(os.path.normpath(f"{os.fspath(run)}/{place}")),
            after,
            is_own,
            State(*status),
            _attempts(attempts),
        )
        for name, place, after, is_own, status, attempts in flat
    )
    return step, tuple(steps)


def _attempts(rows: Iterable[Any]) -> tuple[Attempt, ...]:
    attempts = []
    for number, flat, *rest in rows:
        events = tuple([Event(*event) for event in flat])
        if len(rest) > _JOB and rest[_JOB] is not None:
            rest[_JOB] = JobAddress(*rest[_JOB])
        attempts.append(Attempt(number, events, *rest))
    return tuple(attempts)


def to_columns(entries: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Return entries as JSON has them, those of one shape together."""
    by_shape: dict[Shape, tuple[list[str], list[tuple[Any, ...]]]] = {}
    for name, (shape, row) in entries.items():
        names, rows = by_shape.setdefault(shape, ([], []))
        names.append(name)
        rows.append(row)
    return [
        {**shape._asdict(), "runs": names, "columns": list(zip(*rows, strict=True))}
        for shape, (names, rows) in by_shape.items()
    ]


def from_columns(content: Iterable[Mapping[str, Any]]) -> Entries:
    """Return the entries that ``to_columns`` wrote.

    Raises:
        ValueError, TypeError, KeyError: ``content`` is something else.
    """
    entries: Entries = {}
    for group in content:
        shape = Shape(*(tuple(group[name]) for name in Shape._fields))
        names, columns = group["runs"], group["columns"]
        if len(columns) != shape.width or {len(column) for column in columns} != {len(names)}:
            raise ValueError("its columns are not alike")
        entries.update(zip(names, zip(repeat(shape), zip(*columns, strict=True)), strict=False))
    return entries
