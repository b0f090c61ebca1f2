"""Standings made into the tables of ``runx status``. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runx.formats.json import content, strict
from runx.reading.standing import Standing, elapsed, started, where
from runx.states.state import ENDED_BADLY, STATES, UNKNOWN, State
from runx.tables.columns import Column, value
from runx.tables.question import Question
from runx.tables.summary import Row, Summary, own_columns

_LAST = ("metric", "measured", "epoch")


class Overview(NamedTuple):
    """An experiment at a glance: its runs' states, its title, when anything last happened."""

    name: str
    states: tuple[str, ...]
    title: str
    active: float | None

    def json(self) -> dict[str, Any]:
        """Give what JSON has of it."""
        states = Counter(self.states)
        return {
            "experiment": self.name,
            "runs": len(self.states),
            "states": {name: states[name] for name in (*STATES, UNKNOWN) if states[name]},
            "title": self.title,
            "active": self.active,
        }


def status(standings: Iterable[Standing], now: float) -> Summary:
    """Make a table of how runs stand: what varies, state, attempt, time, last metrics, where."""
    found = sorted(standings, key=lambda one: (one.result.experiment, one.result.name))
    shown = own_columns([one.result for one in found], Question())
    first = [
        column for column in shown if column.kind in ("experiment", "run", "hparam", "resource")
    ]
    last = [column for column in shown if column.kind in _LAST]
    own = [
        Column("state", "standing"),
        Column("attempt", "attempt"),
        Column("elapsed", "elapsed"),
        *last,
        Column("where", "where"),
    ]
    chosen = (*first, *own)
    rows = (Row(tuple(_cell(one, column, now) for column in chosen), one.result) for one in found)
    return Summary(chosen, tuple(rows))


def _cell(one: Standing, column: Column, now: float) -> Any:
    if column.kind == "standing":
        return str(one.state)
    if column.kind == "attempt":
        return one.state.attempt or None
    if column.kind == "elapsed":
        return elapsed(one, now)
    if column.kind == "where":
        return where(one)
    return value(one.result, column)


def counts(names: Iterable[str]) -> str:
    """Count states, in the order of a run's life.

    >>> counts(["done", "failed", "done"])
    '2 done, 1 failed'
    """
    number = Counter(names)
    return ", ".join(f"{number[name]} {name}" for name in (*STATES, UNKNOWN) if number[name])


def any_failed(states: Iterable[State]) -> bool:
    """Say whether there is anything that a person should look at."""
    return any(one.name in ENDED_BADLY for one in states)


def objects(standings: Iterable[Standing], now: float) -> list[dict[str, Any]]:
    """Give what JSON has of each run."""
    return [
        {
            **content(one.result),
            "reason": one.state.reason,
            "code": one.state.code,
            "signal": one.state.signal,
            "attempt": one.state.attempt,
            "started": started(one),
            "elapsed": strict(elapsed(one, now)),
            "where": where(one),
        }
        for one in standings
    ]


def overview(experiments: Sequence[Overview], now: float) -> list[tuple[str, ...]]:
    """Write the rows of the table of all experiments, the latest activity last."""
    ordered = sorted(experiments, key=lambda one: (one.active or 0.0, one.name))
    return [
        (
            one.name,
            str(len(one.states)),
            counts(one.states),
            ago(now - one.active) if one.active else "",
            one.title,
        )
        for one in ordered
    ]


def ago(seconds: float) -> str:
    """Write how long ago something was, in its largest unit.

    >>> ago(5), ago(7300), ago(3e6)
    ('just now', '2 h ago', '34 days ago')
    """
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (2 * size if unit == "days" else size):
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
