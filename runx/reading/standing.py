"""A run as it is read back with how it stands: since when, how long, where."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from runx.disk.facts import UNASKED, Words
from runx.metrics.tally import Measure
from runx.states.attempts import Facts
from runx.states.state import State
from runx.types import Result

Warn = Callable[[str], None]


class Standing(NamedTuple):
    """A run as it is read back, and how it stands in full."""

    result: Result
    state: State
    facts: Facts


class Reader(NamedTuple):
    """How runs are read: what of them, whom to warn, what schedulers have said.

    ``at`` is the epoch that metrics are taken from, the last where it is None. Without ``attempts``
    nobody asks for a standing's facts, which are then left out where that saves time. ``hands`` is
    how many processes may read at once.
    """

    measures: tuple[Measure, ...] = ()
    warn: Warn = print
    words: Words = UNASKED
    at: float | None = None
    details: frozenset[str] = frozenset()
    attempts: bool = True
    hands: int = 1


def started(one: Standing) -> float | None:
    """Give the time at which the attempt that decides the state began."""
    for attempt in one.facts.attempts:
        event = attempt.event("started")
        if attempt.number == one.state.attempt and event:
            return event.time
    return None


def ended(one: Standing) -> float | None:
    """Give the time at which the attempt that decides the state wrote its end."""
    for attempt in one.facts.attempts:
        event = attempt.event("ended")
        if attempt.number == one.state.attempt and event:
            return event.time
    return None


def elapsed(one: Standing, now: float) -> float | None:
    """Give the seconds that the attempt took, or has taken so far."""
    begin, end = started(one), ended(one)
    if end is None and one.state.alive:
        end = now
    return max(end - begin, 0.0) if begin is not None and end is not None else None


def where(one: Standing) -> str | None:
    """Say which machine or job the attempt is on."""
    for attempt in one.facts.attempts:
        if attempt.number == one.state.attempt:
            job = f"{attempt.farm} {attempt.job}" if attempt.job else ""
            began = attempt.event("started")
            host = attempt.host if began else ""
            return " on ".join(filter(None, (job, host))) or None
    return None
