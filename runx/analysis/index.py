"""The index of an experiment: its runs as they were last read, valid while their files' stamps are.

An index only saves time. Where it is missing, damaged or out of date, the runs are read. It is
written whole by whoever has read many runs anew: nobody waits for it, and its loss harms nobody.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from runx.analysis.index_rows import (
    OWN,
    Entries,
    Entry,
    attempts_in,
    entry,
    from_columns,
    parts,
    steps_in,
    to_columns,
)
from runx.analysis.reduce import Measure
from runx.errors import StoreError
from runx.rundir.attempts import clock
from runx.rundir.files import read_json, write_whole
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles, fingerprint
from runx.rundir.state import State
from runx.sweeps.values import Trial
from runx.version import __version__

FORMAT = f"{__version__}, rows 8"
"""An index of another version, or with other rows, is not read."""
SETTLED = 3_000_000_000
"""Nanoseconds for which a further change may hide behind an unchanged stamp, and some more."""
MANY, SHARE = 64, 20
"""The least number of runs read anew that an index is written for, and their least share in all."""


class Index:
    """The runs of one experiment as they were when they were last read.

    It is made for one question: its measures are those wanted of every run, and the runs' attempts
    are wanted or not. ``fresh`` are the entries of runs that have been read anew.
    """

    def __init__(
        self,
        experiment: ExperimentDir,
        entries: Entries,
        measures: Sequence[Measure] = (),
        attempts: bool = True,
    ) -> None:
        self._experiment = experiment
        self._folder = os.fspath(experiment.path)
        self._prefix = f"{self._folder}/"
        self._mark = _mark(experiment)
        self._entries = entries
        self.fresh: Entries = {}
        self._settled_before = 0
        self._descriptor: int | None = None
        self._attempts = attempts
        self._measures = [(measure.name, _key(measure)) for measure in measures]
        keys = {key for _, key in self._measures}
        # Thousands of entries share a few shapes, each of which is one object.
        complete = {id(shape): keys <= {*shape.measured} for shape, _ in entries.values()}
        self._complete = {name: each for name, each in entries.items() if complete[id(each[0])]}

    def missing(self, runs: Iterable[RunDir]) -> list[RunDir]:
        """Return the runs of which it has no entry, or not all that is wanted."""
        return [run for run in runs if self._name(os.fspath(run)) not in self._complete]

    def _name(self, path: str) -> str:
        """Return a run's path in the experiment, empty where it lies elsewhere."""
        return path[len(self._prefix) :] if path.startswith(self._prefix) else ""

    def find(self, run: RunDir, experiment: str) -> RunRecord | None:
        """Return a run as it was, if it has not changed and all that is wanted is known of it."""
        name = self._name(os.fspath(run))
        if name in self.fresh:
            return self._restored(run, name, experiment, self.fresh[name])
        if (entry := self._complete.get(name)) is None:
            return None
        shape, row = entry
        try:
            if fingerprint(name, shape.files, self._open_folder()) == row[0]:
                return self._restored(run, name, experiment, entry)
        except (LookupError, TypeError, ValueError, AttributeError, OSError):
            pass  # A damaged entry: the run is read instead.
        del self._entries[name], self._complete[name]
        return None

    def _open_folder(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._descriptor

    def close(self) -> None:
        """Close the experiment's folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _restored(self, run: RunDir, name: str, experiment: str, entry: Entry) -> RunRecord:
        hparams, resources, metrics, by_key, sources = parts(entry)
        _, epoch, epoch_time, status, _, title, code, tag, labels, ablation, *_ = entry[1]
        step, steps = steps_in(entry, run) if entry[1][OWN.index("steps")][1] else ("", ())
        tool, name, experiment = (title, name, experiment) if isinstance(title, str) else title
        measured = {
            wanted: value for wanted, key in self._measures if (value := by_key[key]) is not None
        }
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
            attempts=attempts_in(entry) if self._attempts else (),
            tool=tool,
            code=code,
            tag=tag,
            labels=tuple(labels),
            sources=sources,
            ablation=ablation,
            steps=steps,
            step=step,
            trial=Trial(*trial) if (trial := entry[1][OWN.index("trial")]) else None,
        )

    def add(self, look: RunFiles, record: RunRecord) -> None:
        """Add a run as it was read, unless it may have changed since without a new stamp."""
        name = self._name(look.path)
        if look.volatile or not name:
            return
        self._settled_before = self._settled_before or self._now() - SETTLED
        if look.last_change >= self._settled_before:
            return
        measured: Mapping[str, Any] = {
            key: record.measured.get(wanted) for wanted, key in self._measures
        }
        if before := self._entries.get(name):
            # It has not changed since then: it was read for another question.
            measured = {**parts(before)[3], **measured}
            for file in before[0].files:
                if file not in look.stamps:
                    look.note(file)
        self.fresh[name] = entry(record, look.stamps, look.fingerprint, measured)

    def _now(self) -> int:
        """Return the time by the clock of the experiment's file system, in nanoseconds."""
        inside = self._experiment.index.parent
        return int((clock(inside)() if inside.is_dir() else time.time()) * 1e9)

    def write(self) -> None:
        """Write the index, without runs that are gone, if enough runs were read anew."""
        if len(self.fresh) < max(MANY, len(self._entries) // SHARE):
            return
        old = {name: each for name, each in self._entries.items() if self._exists(name)}
        entries = {**old, **self.fresh}
        text = json.dumps({"version": 1, "by": self._mark, "shapes": to_columns(entries)})
        for path in _paths(self._experiment):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, text)
            except OSError:
                continue
            return

    def _exists(self, name: str) -> bool:
        return os.path.isdir(self._experiment.path / name)


def open_index(
    experiment: ExperimentDir, runs: int, measures: Sequence[Measure] = (), attempts: bool = True
) -> Index | None:
    """Return the index of an experiment, empty where it has none; None for fewer than MANY runs."""
    if runs < MANY:
        return None
    times = [(path.stat().st_mtime, path) for path in _paths(experiment) if path.exists()]
    for _, path in sorted(times, reverse=True):
        # One that some other version of runx has written may have concluded otherwise.
        try:
            content = read_json(path)
            if content["by"] == _mark(experiment):
                return Index(experiment, from_columns(content["shapes"]), measures, attempts)
        except (StoreError, LookupError, TypeError, ValueError):
            continue
    return Index(experiment, {}, measures, attempts)


def _mark(experiment: ExperimentDir) -> str:
    """Return what an index must have been written by and for: with other METRICS, runs differ."""
    try:
        return f"{FORMAT}, METRICS {crc32(experiment.metrics.read_bytes())}"
    except OSError:
        return FORMAT


def _paths(experiment: ExperimentDir) -> list[Path]:
    """Return the paths that an index may have: in an experiment of ours, in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = os.fsdecode(os.fsencode(experiment.path.resolve()).replace(b"/", b"%")[-200:])
    inside = [experiment.index] if experiment.index.parent.is_dir() else []
    # A user without a home folder has none.
    return [*inside, *([Path(cache, "runx", "index", f"{name}.json")] if cache[0] == "/" else [])]


def _key(measure: Measure) -> str:
    return f"{measure.phase}.{measure.metric}:{measure.at}"
