"""What an index keeps of runs: a row for each, and the names that many of them share once.

Ten thousand runs of a sweep have the same files, hyperparameters and metrics. Written a column at
a time, with those names once, they are read back in a third of the time that an object each takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

from runx.reading.standing import Standing
from runx.states.attempts import Attempt, Event, Facts

OWN = ("mark", "epoch", "epoch_time", "state", "attempts")
"""What every row begins with."""


class Shape(NamedTuple):
    """The names of what a row has behind its own: in this order, a value for each."""

    files: tuple[str, ...]
    hparams: tuple[str, ...]
    resources: tuple[str, ...]
    metrics: tuple[str, ...]
    measured: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many values a row has."""
        return len(OWN) + sum(map(len, self[1:]))


Entry: TypeAlias = tuple[Shape, tuple[Any, ...]]
Entries: TypeAlias = dict[str, Entry]
"""What is kept of runs, by their names."""


class Kept(NamedTuple):
    """An entry taken apart."""

    hparams: dict[str, Any]
    resources: dict[str, Any]
    metrics: dict[str, Any]
    measured: dict[str, Any]


def entry(one: Standing, files: Iterable[str], mark: int, measured: Mapping[str, Any]) -> Entry:
    """Make an entry of what a run has come to."""
    run = one.result
    shape = Shape(*map(tuple, (files, run.hparams, run.resources, run.metrics, measured)))
    attempts = [_flat(attempt) for attempt in one.facts.attempts]
    return shape, (
        *(mark, run.epoch, run.epoch_time, one.state, attempts),
        *run.hparams.values(),
        *run.resources.values(),
        *run.metrics.values(),
        *measured.values(),
    )


def kept(found: Entry) -> Kept:
    """Take an entry apart; ValueError where it makes no sense."""
    (_, hparams, resources, metrics, measured), row = found
    first = len(OWN)
    second = first + len(hparams)
    third = second + len(resources)
    fourth = third + len(metrics)
    return Kept(
        dict(zip(hparams, row[first:second], strict=True)),
        dict(zip(resources, row[second:third], strict=True)),
        dict(zip(metrics, row[third:fourth], strict=True)),
        dict(zip(measured, row[fourth:], strict=True)),
    )


def facts(found: Entry) -> Facts:
    """Say what was known of the attempts of an entry's run."""
    return Facts(
        tuple(
            [
                Attempt(
                    number,
                    tuple([Event(name, at, {"code": code}) for name, at, code in events]),
                    *rest,
                )
                for number, events, *rest in found[1][4]
            ]
        )
    )


def _flat(attempt: Attempt) -> list[Any]:
    """Write an attempt as JSON has it: of its events what tables tell, and what isn't as usual."""
    events = [(one.name, one.time, one.details.get("code")) for one in _told(attempt)]
    rest = [*attempt[2:]]
    while rest and rest[-1] == _USUAL[len(rest) - 1]:
        rest.pop()
    return [attempt.number, events, *rest]


_USUAL = Attempt(0)[2:]


def _told(attempt: Attempt) -> Iterator[Event]:
    for name in ("started", "ended"):
        if event := attempt.event(name):
            yield event


def to_columns(entries: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Put entries together that have the same shape, as JSON has them."""
    sorted_out: dict[Shape, tuple[list[str], list[tuple[Any, ...]]]] = {}
    for name, (shape, row) in entries.items():
        names, rows = sorted_out.setdefault(shape, ([], []))
        names.append(name)
        rows.append(row)
    return [
        {**shape._asdict(), "runs": names, "columns": list(zip(*rows, strict=True))}
        for shape, (names, rows) in sorted_out.items()
    ]


def from_columns(content: Iterable[Mapping[str, Any]]) -> Entries:
    """Read back what ``to_columns`` gave; ValueError, TypeError or KeyError where it isn't that."""
    entries: Entries = {}
    for several in content:
        shape = Shape(*(tuple(several[name]) for name in Shape._fields))
        names, columns = several["runs"], several["columns"]
        if len(columns) != shape.width or {len(column) for column in columns} != {len(names)}:
            raise ValueError("its columns are not alike")
        entries.update(zip(names, zip(repeat(shape), zip(*columns, strict=True)), strict=False))
    return entries
