"""The events of an attempt, one JSON object a line, as run.sh writes them to events.jsonl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runx.rundir.paths import RunDir


class Event(NamedTuple):
    """One line of an attempt's events: started, running, signalled, ended, ..."""

    name: str
    time: float | None = None
    details: Mapping[str, Any] = {}


class JobAddress(NamedTuple):
    """Where an attempt's job is: what its job.json has. Empty where that is damaged.

    ``refused``: its farm would not take it; there is no job then.
    """

    farm: str = ""
    type: str = ""
    id: str | None = None
    name: str = ""
    options: Mapping[str, str] = {}
    answer: str = ""
    refused: bool = False


class JobStatus(NamedTuple):
    """How a job stands by its scheduler: a state or ``gone``, why; its name, its array index."""

    state: str
    reason: str = ""
    name: str = ""
    task: int | None = None


class Attempt(NamedTuple):
    """One execution of a run: its number, the job that carries it and the events that it wrote.

    ``farm`` is None for one on this machine or another like it. ``process`` is whether the process
    that claimed it, or run.sh, lives: None where that can't be seen from here. ``rebooted``: it
    belonged to an earlier boot of this host. ``silence`` is the age of its latest sign of life,
    ``submitted`` that of its submission, ``wrote`` that of what the script itself wrote where
    run.sh has written nothing (a farm may be given the bare command), all in seconds. ``locked`` is
    whether anything of the run lives here, None where that can't be seen or doesn't matter.
    ``launch`` names the launch that claimed it, None where run.sh did.
    """

    number: int
    events: tuple[Event, ...] = ()
    farm: str | None = None
    host: str = ""
    job: JobAddress | None = None
    order: str | None = None
    process: bool | None = None
    rebooted: bool = False
    silence: float | None = None
    submitted: float | None = None
    wrote: float | None = None
    locked: bool | None = None
    launch: str | None = None

    def event(self, name: str) -> Event | None:
        """Return the first event of that name, if there is one."""
        for event in self.events:
            if event.name == name:
                return event
        return None

    @property
    def job_id(self) -> str | None:
        """The id of its job, if one is known."""
        return self.job.id if self.job else None

    @property
    def is_refused(self) -> bool:
        """Whether its farm would not take it, and nothing else has executed it."""
        return self.job is not None and self.job.refused and not self.events


Warn = Callable[[str], None]


def read_events(run: RunDir, attempt: int, warn: Warn = lambda line: None) -> list[Event]:
    """Return the events of an attempt, none where its file isn't there."""
    file: Path = run.events(attempt)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    return list(parse_events(content, str(file), warn))


def parse_events(content: bytes, path: str, warn: Warn) -> Iterable[Event]:
    """Return the events in a file's content; a damaged line costs itself and a warning.

    A last line without its newline is still being written, and is left out.
    """
    lines = content.split(b"\n")[:-1]
    try:
        # Parsed at once, since a table of ten thousand runs reads them all.
        objects = json.loads(b"[%b]" % b",".join(lines))
        return [Event(str(each["event"]), each.get("time"), each) for each in objects]
    except (ValueError, TypeError, KeyError):
        return _whole_lines(lines, path, warn)


def _whole_lines(lines: list[bytes], path: str, warn: Warn) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            details = json.loads(line)
            yield Event(str(details["event"]), details.get("time"), details)
        except (ValueError, TypeError, KeyError):
            if line.strip(b"\0 "):
                warn(f"{path}, line {number}: left out, it is damaged")
