"""What is known of a run's attempts, before anybody concludes anything from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One thing that happened to an attempt, as run.sh saw it."""

    name: str
    time: float | None = None
    details: Mapping[str, Any] = {}


class Attempt(NamedTuple):
    """What is known of one attempt.

    ``process`` says whether the process that claimed it, or run.sh, lives: None where that can't
    be seen from here. ``rebooted``: it belonged to an earlier boot of this host. ``silence`` is the
    age of its latest sign of life, ``submitted`` that of its submission, in seconds. ``refused``:
    its farm would not take it. ``wrote`` is the age of what the script itself wrote since, where
    run.sh has told nothing: a farm may be given the bare command.
    """

    number: int
    events: tuple[Event, ...] = ()
    farm: str | None = None
    host: str = ""
    job: str | None = None
    order: str | None = None
    process: bool | None = None
    rebooted: bool = False
    silence: float | None = None
    submitted: float | None = None
    refused: bool = False
    wrote: float | None = None

    def event(self, name: str) -> Event | None:
        """Give the first event called so, if it happened."""
        return next((event for event in self.events if event.name == name), None)


class Facts(NamedTuple):
    """What is known of a run: its attempts in order, whether its lock is held, the farm's word.

    ``locked`` is None where that can't be told. ``word`` is what the scheduler says of the last
    attempt's job: a state, ``gone`` where it knows no such job, None where it was not asked.
    """

    attempts: tuple[Attempt, ...] = ()
    locked: bool | None = None
    word: str | None = None
    why: str = ""


class JobStatus(NamedTuple):
    """How a job stands by its scheduler: a state or ``gone``, why; its name, its array index."""

    state: str
    reason: str = ""
    name: str = ""
    task: int | None = None
