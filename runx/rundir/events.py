"""The events of an attempt, one JSON object a line, as run.sh writes them to events.jsonl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runx.rundir.machines import Locality
from runx.rundir.paths import RunDir


class Event(NamedTuple):
    """One line of an attempt's events: started, running, signalled, ended, ..."""

    name: str
    time: float | None = None
    details: Mapping[str, Any] = {}


class JobAddress(NamedTuple):
    """The farm and id of an attempt's job, from its job.json; empty where that is damaged.

    ``refused``: its farm refused it, and there is no job. ``owner``: the login that submitted it,
    "" where that was not recorded. What names a place besides the farm, such as Slurm's cluster,
    is one of the ``options``, in small letters. ``shares``: it executes other attempts, too.
    """

    farm: str = ""
    type: str = ""
    id: str | None = None
    name: str = ""
    options: Mapping[str, str] = {}
    answer: str = ""
    refused: bool = False
    owner: str = ""
    shares: bool = False


DEPENDENCY = "its dependency failed"
"""The reason of a job that its scheduler cancelled since what it was to wait for has failed."""


def place_of(farm: str, options: Mapping[str, str]) -> str:
    """Return the name of where ids of jobs are counted: a farm, or one of its clusters or servers.

    Of a job's options those in small letters name it; keys of .runx are in capitals.

    >>> place_of("slurm", {}), place_of("slurm", {"cluster": "u", "VOLUME": "logs"})
    ('slurm', 'slurm cluster=u')
    """
    return " ".join([farm, *(f"{name}={options[name]}" for name in options if name.islower())])


class JobStatus(NamedTuple):
    """The state of a job by its scheduler, the reason, the job's name and its index in its array.

    Besides names of runs' states it may be ``gone``: the scheduler, asked for all that it has, has
    no such job; ``unseen``: nobody can say, and why (its name is then that of another job which has
    its id now); or ``unknown``: in a state that no table has,
    with the scheduler's word for it.
    """

    state: str
    reason: str = ""
    name: str = ""
    task: int | None = None


class Attempt(NamedTuple):
    """One execution of a run: its number, its events and its job.

    ``farm``: None without a scheduler. ``process``: whether the process that claimed it, or run.sh,
    lives, None where nobody can say from here. ``locality``: where that process is, or was. In
    seconds: ``silence`` since its last heartbeat or event (or that of a launcher that has not
    started it), ``submission_age`` since its submission, ``output_age`` since the script's last
    output where run.sh wrote no event (a farm may run the bare command). ``locked``: whether a
    process here holds the run's lock, None where that is unknown or makes no difference.
    ``launch``: the name of the launch that claimed it, None where run.sh did. ``called_off``: after
    it was cancelled its farm had no job of it any more, or is one that can't be asked. ``waits``:
    nobody has claimed it, and a launcher here waits for its turn to; ``waits_for``: what this
    machine has too little of for that launcher's runs, "" if nothing. ``replaced``: it has given no
    sign since a later attempt was claimed. ``held``: a person keeps launchers from starting it.
    """

    number: int
    events: tuple[Event, ...] = ()
    farm: str | None = None
    host: str = ""
    job: JobAddress | None = None
    order: str | None = None
    process: bool | None = None
    locality: Locality = "here"
    silence: float | None = None
    submission_age: float | None = None
    output_age: float | None = None
    locked: bool | None = None
    launch: str | None = None
    called_off: bool = False
    waits: bool = False
    replaced: bool = False
    waits_for: str = ""
    held: bool = False

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


Warn = Callable[[str], None]


def read_events(run: RunDir, attempt: int, warn: Warn = lambda line: None) -> list[Event]:
    """Return the events of an attempt, an empty list where there is no file of them."""
    file: Path = run.events(attempt)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    return list(parse_events(content, str(file), warn))


def parse_events(content: bytes, path: str, warn: Warn) -> Iterable[Event]:
    """Return the events in a file's content; damaged lines are left out with a warning.

    So is, without one, a last line without its newline: it is still being written.
    """
    lines = content.split(b"\n")[:-1]
    try:
        # All at once, which is faster: a table of ten thousand runs parses them all.
        objects = json.loads(b"[%b]" % b",".join(lines))
        return [Event(str(each["event"]), each.get("time"), each) for each in objects]
    except (ValueError, TypeError, KeyError):
        return _undamaged(lines, path, warn)


def _undamaged(lines: list[bytes], path: str, warn: Warn) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            details = json.loads(line)
            yield Event(str(details["event"]), details.get("time"), details)
        except (ValueError, TypeError, KeyError):
            if line.strip(b"\0 "):
                warn(f"{path}, line {number}: left out, it is damaged")
