"""What runs came to when they were last read, found again by the stamps of their files.

An index only saves time. Where it lacks, is damaged or out of date, the runs are read. It is
written whole, by whoever has read many runs anew: nobody waits for it, and its loss harms nobody.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runx import __version__
from runx.disk.facts import clock
from runx.disk.look import Look, mark
from runx.errors import StoreError
from runx.metrics.tally import Measure
from runx.reading.standing import Standing
from runx.rundir import ExperimentDir, RunDir, read_json, write_whole
from runx.states.attempts import Attempt, Event, Facts
from runx.states.state import State
from runx.types import Result

SETTLED = 3_000_000_000
"""Nanoseconds for which a further change may hide behind an unchanged stamp, and some more."""
MANY, SHARE = 64, 20
"""An index is written for so many runs read anew, if they are one in so many of all."""


class Index:
    """The runs of one experiment as they were when they were last read."""

    def __init__(self, experiment: ExperimentDir, entries: dict[str, Any]) -> None:
        self._experiment = experiment
        self._entries = entries
        self._fresh: dict[str, Any] = {}
        self._before = 0

    def find(self, run: RunDir, experiment: str, wanted: Sequence[Measure]) -> Standing | None:
        """Give a run as it was, if nothing of it has changed and all that is wanted is known."""
        path = os.fspath(run)
        name = os.path.basename(path)
        entry = self._entries.get(name)
        if entry is None:
            return None
        try:
            if mark(path, entry["files"]) == entry["mark"]:
                known = {**entry["measured"]}
                if not all(_key(one) in known for one in wanted):
                    return None
                return _restored(run, experiment, entry, wanted)
        except (LookupError, TypeError, ValueError, AttributeError):
            pass  # Whatever has written that, the run itself knows better.
        del self._entries[name]
        return None

    def keep(self, look: Look, one: Standing, wanted: Sequence[Measure]) -> None:
        """Keep what a look at a run came to, if that can't have changed since unnoticed."""
        if look.passing:
            return
        self._before = self._before or self._now()
        if max(changed for changed, _, _ in look.stamps.values()) >= self._before:
            return
        name = one.result.name
        measured = {_key(each): one.result.measured.get(each.name) for each in wanted}
        if before := self._entries.get(name):
            # It has not changed since then: only another question is asked.
            measured = {**before["measured"], **measured}
            for file in before["files"]:
                if file not in look.stamps:
                    look.note(file)
        self._fresh[name] = _entry(look, one, measured)

    def _now(self) -> int:
        """Give a moment by the experiment's clock: what changed before it has settled."""
        inside = self._experiment.index.parent
        seconds = clock(inside)() if inside.is_dir() else time.time()
        return int(seconds * 1e9) - SETTLED

    def write(self) -> None:
        """Write the index, if that is worth it; what has gone is left out."""
        if len(self._fresh) < max(MANY, len(self._entries) // SHARE):
            return
        old = {name: kept for name, kept in self._entries.items() if self._is_there(name)}
        entries = {**old, **self._fresh}
        text = json.dumps({"version": 1, "by": __version__, "runs": entries})
        for place in _places(self._experiment):
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(place, text)
            except OSError:
                continue
            return

    def _is_there(self, name: str) -> bool:
        return os.path.isdir(self._experiment.path / name)


def opened(experiment: ExperimentDir) -> Index:
    """Read the index of an experiment, the latest there is; an empty one where there is none."""
    times = [(place.stat().st_mtime, place) for place in _places(experiment) if place.exists()]
    for _, place in sorted(times, reverse=True):
        # One that some other version of runx has written may have concluded otherwise.
        try:
            content = read_json(place)
            if content["by"] == __version__ and isinstance(content["runs"], dict):
                return Index(experiment, content["runs"])
        except (StoreError, KeyError):
            continue
    return Index(experiment, {})


def _places(experiment: ExperimentDir) -> list[Path]:
    """Say where the index may lie: with an experiment of ours, else in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = os.fsdecode(os.fsencode(experiment.path.resolve()).replace(b"/", b"%")[-200:])
    beside = [experiment.index] if experiment.index.parent.is_dir() else []
    return [*beside, Path(cache, "runx", "index", f"{name}.json")]


def _key(wanted: Measure) -> str:
    return f"{wanted.phase}.{wanted.metric}:{wanted.at}"


def _entry(look: Look, one: Standing, measured: Mapping[str, Any]) -> dict[str, Any]:
    run = one.result
    return {
        "files": list(look.stamps),
        "mark": look.mark,
        "hparams": run.hparams,
        **({"resources": run.resources} if run.resources else {}),
        "metrics": run.metrics,
        "epoch": run.epoch,
        "epoch_time": run.epoch_time,
        "measured": measured,
        "state": one.state,
        "attempts": [_flat(attempt) for attempt in one.facts.attempts],
    }


def _flat(attempt: Attempt) -> list[Any]:
    """Write an attempt as JSON has it, of its events what tables tell."""
    events = [(one.name, one.time, one.details.get("code")) for one in _told(attempt)]
    return [attempt.number, events, *attempt[2:]]


def _told(attempt: Attempt) -> Iterator[Event]:
    for name in ("started", "ended"):
        if event := attempt.event(name):
            yield event


def _restored(
    run: RunDir, experiment: str, entry: Mapping[str, Any], wanted: Sequence[Measure]
) -> Standing:
    stands = State(*entry["state"])
    measured = ((one.name, entry["measured"][_key(one)]) for one in wanted)
    attempts = [
        Attempt(number, tuple(Event(name, at, {"code": code}) for name, at, code in events), *rest)
        for number, events, *rest in entry["attempts"]
    ]
    result = Result(
        name=os.path.basename(os.fspath(run)),
        dir=run,
        hparams={**entry["hparams"]},
        state=stands.name,
        metrics={**entry["metrics"]},
        epoch=entry["epoch"],
        epoch_time=entry["epoch_time"],
        experiment=experiment,
        resources={**entry.get("resources", {})},
        measured={name: found for name, found in measured if found is not None},
    )
    return Standing(result, stands, Facts(tuple(attempts)))
