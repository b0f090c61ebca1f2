"""What runs came to when they were last read, found again by the stamps of their files.

An index only saves time. Where it lacks, is damaged or out of date, the runs are read. It is
written whole, by whoever has read many runs anew: nobody waits for it, and its loss harms nobody.

It keeps a row for each run, a column at a time, and the names that many of them share (files,
hyperparameters, metrics) once: so it is read back in a third of the time that an object each takes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.analysis.reduce import Measure
from runx.errors import StoreError
from runx.rundir.attempts import clock
from runx.rundir.events import Attempt, Event, JobAddress
from runx.rundir.files import read_json, write_whole
from runx.rundir.look import Look, mark
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State
from runx.version import __version__

FORMAT = f"{__version__}, rows 2"
"""An index of another version, or with other rows, is not read."""


SETTLED = 3_000_000_000
"""Nanoseconds for which a further change may hide behind an unchanged stamp, and some more."""


MANY, SHARE = 64, 20
"""An index is written for so many runs read anew, if they are one in so many of all."""


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


def entry(record: RunRecord, files: Iterable[str], mark: int, measured: Mapping[str, Any]) -> Entry:
    """Make an entry of what a run has come to."""
    names = (files, record.hparams, record.resources, record.metrics, measured)
    return Shape(*map(tuple, names)), (
        *(mark, record.epoch, record.epoch_time, record.status),
        [_flat(attempt) for attempt in record.attempts],
        *record.hparams.values(),
        *record.resources.values(),
        *record.metrics.values(),
        *measured.values(),
    )


def parts(found: Entry) -> list[dict[str, Any]]:
    """Return an entry's hparams, resources, metrics and measures; ValueError if it is damaged."""
    shape, row = found
    at, maps = len(OWN), []
    for names in shape[1:]:
        maps.append(dict(zip(names, row[at : at + len(names)], strict=True)))
        at += len(names)
    if at != len(row):
        raise ValueError("it has more values than names")
    return maps


def attempts_in(found: Entry) -> tuple[Attempt, ...]:
    """Return what was known of the attempts of an entry's run."""
    attempts = []
    for number, flat, *rest in found[1][4]:
        events = tuple([Event(name, at, {"code": code}) for name, at, code in flat])
        if len(rest) > _JOB and rest[_JOB] is not None:
            rest[_JOB] = JobAddress(*rest[_JOB])
        attempts.append(Attempt(number, events, *rest))
    return tuple(attempts)


def _flat(attempt: Attempt) -> list[Any]:
    """Write an attempt as JSON has it: the events that tables need, and no usual values behind."""
    events = [
        (event.name, event.time, event.details.get("code"))
        for name in ("started", "ended")
        if (event := attempt.event(name))
    ]
    rest = [*attempt[2:]]
    while rest and rest[-1] == _USUAL[len(rest) - 1]:
        rest.pop()
    return [attempt.number, events, *rest]


_USUAL = Attempt(0)[2:]


_JOB = Attempt._fields.index("job") - 2


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


class Index:
    """The runs of one experiment as they were when they were last read.

    It is made for one question, whose measures are looked for in every run, and which needs the
    runs' attempts or not.
    """

    def __init__(
        self,
        experiment: ExperimentDir,
        entries: Entries,
        wanted: Sequence[Measure] = (),
        attempts: bool = True,
    ) -> None:
        self._experiment = experiment
        self._folder = os.fspath(experiment.path)
        self._entries = entries
        self.fresh: Entries = {}
        self._before = 0
        self._descriptor: int | None = None
        self._attempts = attempts
        self._wanted = [(one.name, _key(one)) for one in wanted]
        keys = {key for _, key in self._wanted}
        # Thousands of entries share a few shapes, each of which is one object.
        able = {id(shape): keys <= {*shape.measured} for shape, _ in entries.values()}
        self._answers = {name: one for name, one in entries.items() if able[id(one[0])]}

    @property
    def known(self) -> int:
        """How many the runs are of which all that is wanted is known, if they have not changed."""
        return len(self._answers)

    def answers(self, run: RunDir) -> bool:
        """Say whether a run is one of these."""
        return os.fspath(run).rpartition("/")[2] in self._answers

    def find(self, run: RunDir, experiment: str) -> RunRecord | None:
        """Give a run as it was, if nothing of it has changed and all that is wanted is known."""
        folder, _, name = os.fspath(run).rpartition("/")
        if folder != self._folder:
            return None
        if name in self.fresh:
            return self._restored(run, name, experiment, self.fresh[name])
        if (found := self._answers.get(name)) is None:
            return None
        shape, row = found
        try:
            if mark(name, shape.files, self._open_folder()) == row[0]:
                return self._restored(run, name, experiment, found)
        except (LookupError, TypeError, ValueError, AttributeError, OSError):
            pass  # Whatever has written that, the run itself knows better.
        del self._entries[name], self._answers[name]
        return None

    def _open_folder(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._descriptor

    def close(self) -> None:
        """Let go of the experiment's folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _restored(self, run: RunDir, name: str, experiment: str, found: Entry) -> RunRecord:
        hparams, resources, metrics, known = parts(found)
        _, epoch, epoch_time, status, *_ = found[1]
        measured = {as_: value for as_, key in self._wanted if (value := known[key]) is not None}
        return RunRecord(
            name=name,
            dir=run,
            hparams=hparams,
            status=State(*status),
            metrics=metrics,
            epoch=epoch,
            epoch_time=epoch_time,
            experiment=experiment,
            resources=resources,
            measured=measured,
            attempts=attempts_in(found) if self._attempts else (),
        )

    def keep(self, look: Look, record: RunRecord) -> None:
        """Keep what a look at a run came to, if that can't have changed since unnoticed."""
        folder, _, name = look.path.rpartition("/")
        if look.passing or folder != self._folder:
            return
        self._before = self._before or self._now()
        if look.changed >= self._before:
            return
        measured = {key: record.measured.get(as_) for as_, key in self._wanted}
        if before := self._entries.get(name):
            # It has not changed since then: only another question is asked.
            measured = {**parts(before)[3], **measured}
            for file in before[0].files:
                if file not in look.stamps:
                    look.note(file)
        self.fresh[name] = entry(record, look.stamps, look.mark, measured)

    def _now(self) -> int:
        """Give a moment by the experiment's clock: what changed before it has settled."""
        inside = self._experiment.index.parent
        seconds = clock(inside)() if inside.is_dir() else time.time()
        return int(seconds * 1e9) - SETTLED

    def write(self) -> None:
        """Write the index, if that is worth it; what has gone is left out."""
        if len(self.fresh) < max(MANY, len(self._entries) // SHARE):
            return
        old = {name: one for name, one in self._entries.items() if self._is_there(name)}
        entries = {**old, **self.fresh}
        text = json.dumps({"version": 1, "by": FORMAT, "shapes": to_columns(entries)})
        for place in _places(self._experiment):
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(place, text)
            except OSError:
                continue
            return

    def _is_there(self, name: str) -> bool:
        return os.path.isdir(self._experiment.path / name)


def opened(
    experiment: ExperimentDir, wanted: Sequence[Measure] = (), attempts: bool = True
) -> Index:
    """Read the index of an experiment, the latest there is; an empty one where there is none."""
    times = [(place.stat().st_mtime, place) for place in _places(experiment) if place.exists()]
    for _, place in sorted(times, reverse=True):
        # One that some other version of runx has written may have concluded otherwise.
        try:
            content = read_json(place)
            if content["by"] == FORMAT:
                return Index(experiment, from_columns(content["shapes"]), wanted, attempts)
        except (StoreError, LookupError, TypeError, ValueError):
            continue
    return Index(experiment, {}, wanted, attempts)


def _places(experiment: ExperimentDir) -> list[Path]:
    """Say where the index may lie: with an experiment of ours, else in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = os.fsdecode(os.fsencode(experiment.path.resolve()).replace(b"/", b"%")[-200:])
    beside = [experiment.index] if experiment.index.parent.is_dir() else []
    return [*beside, Path(cache, "runx", "index", f"{name}.json")]


def _key(wanted: Measure) -> str:
    return f"{wanted.phase}.{wanted.metric}:{wanted.at}"
