"""What runs came to when they were last read, found again by the stamps of their files.

An index only saves time. Where it lacks, is damaged or out of date, the runs are read. It is
written whole, by whoever has read many runs anew: nobody waits for it, and its loss harms nobody.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from runx import __version__
from runx.disk.facts import clock
from runx.disk.look import Look, mark
from runx.errors import StoreError
from runx.files import read_json, write_whole
from runx.metrics.tally import Measure
from runx.reading.entries import Entries, Entry, entry, facts, from_columns, kept, to_columns
from runx.reading.standing import Standing
from runx.rundir import ExperimentDir, RunDir
from runx.states.attempts import Facts
from runx.states.state import State
from runx.types import Result

SETTLED = 3_000_000_000
"""Nanoseconds for which a further change may hide behind an unchanged stamp, and some more."""
MANY, SHARE = 64, 20
"""An index is written for so many runs read anew, if they are one in so many of all."""


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

    def find(self, run: RunDir, experiment: str) -> Standing | None:
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

    def _restored(self, run: RunDir, name: str, experiment: str, found: Entry) -> Standing:
        hparams, resources, metrics, known = kept(found)
        _, epoch, epoch_time, stood, *_ = found[1]
        state = State(*stood)
        measured = {as_: value for as_, key in self._wanted if (value := known[key]) is not None}
        result = Result(
            name=name,
            dir=run,
            hparams=hparams,
            state=state.name,
            metrics=metrics,
            epoch=epoch,
            epoch_time=epoch_time,
            experiment=experiment,
            resources=resources,
            measured=measured,
        )
        return Standing(result, state, facts(found) if self._attempts else Facts())

    def keep(self, look: Look, one: Standing) -> None:
        """Keep what a look at a run came to, if that can't have changed since unnoticed."""
        folder, _, name = look.path.rpartition("/")
        if look.passing or folder != self._folder:
            return
        self._before = self._before or self._now()
        if look.changed >= self._before:
            return
        measured = {key: one.result.measured.get(as_) for as_, key in self._wanted}
        if before := self._entries.get(name):
            # It has not changed since then: only another question is asked.
            measured = {**kept(before).measured, **measured}
            for file in before[0].files:
                if file not in look.stamps:
                    look.note(file)
        self.fresh[name] = entry(one, look.stamps, look.mark, measured)

    def _now(self) -> int:
        """Give a moment by the experiment's clock: what changed before it has settled."""
        inside = self._experiment.index.parent
        seconds = clock(inside)() if inside.is_dir() else time.time()
        return int(seconds * 1e9) - SETTLED

    def write(self) -> None:
        """Write the index, if that is worth it; what has gone is left out."""
        if len(self.fresh) < max(MANY, len(self._entries) // SHARE):
            return
        old = {name: kept for name, kept in self._entries.items() if self._is_there(name)}
        entries = {**old, **self.fresh}
        text = json.dumps({"version": 1, "by": __version__, "shapes": to_columns(entries)})
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
            if content["by"] == __version__:
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
