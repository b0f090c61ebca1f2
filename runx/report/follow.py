"""What is new in experiments since they were last looked at: runs, how they stand, points, output.

The files are read on from where they were left, so that a look at a thousand quiet runs costs a
thousand stats.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runx.analysis.ask import answered, ask
from runx.analysis.cells import strict
from runx.analysis.question import Question
from runx.analysis.read import Reader, read_runs
from runx.report.curves import metric_files, numbers
from runx.report.data import key, labels, measured, metrics, metrics_named, run, standing
from runx.report.statistics import statistics
from runx.report.tail import Fresh, Points, added, added_events, log_from, touched
from runx.rundir.attempts import UNASKED, Words, clock
from runx.rundir.experiments import places
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.records import Record
from runx.rundir.run import RunRecord

STATISTICS = 10.0
"""Seconds until new points count in what is computed of all runs; a run's end counts at once."""


ASKED_EVERY = 30.0
"""Seconds between two questions to the schedulers of runs that are followed."""


@dataclass(slots=True)
class Followed:
    """A run that is followed: how it stood, and up to where its files have been read."""

    record: RunRecord
    key: str
    touched: int
    places: dict[Path, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    told: dict[tuple[str, float], dict[str, float]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    worked: float = 0.0
    began: float | None = None
    latest: float | None = None

    def seconds(self, record: Record) -> float | None:
        """Say how long the run had been at work at a record; between two attempts it was not."""
        time = record.timestamp
        if time is None:
            return None
        if self.began is None or record.phase == "start":
            if self.began is not None and self.latest is not None:
                self.worked += max(self.latest - self.began, 0.0)
            self.began = time
        self.latest = time
        return self.worked + time - self.began


class Following:
    """Experiments that are looked at again and again."""

    def __init__(
        self,
        experiments: Sequence[ExperimentDir],
        question: Question,
        warn: Callable[[str], None],
    ) -> None:
        self.experiments = experiments
        self.question = question
        self.warn = warn
        self._labels = labels(experiments)
        self._reader = Reader(question.measures, warn, ask=False)
        self._runs: dict[Path, Followed] = {}
        self._due: float | None = None
        self._said: Words = UNASKED
        self._asked = -math.inf

    def records(self) -> list[RunRecord]:
        """Read all runs, from the beginning."""
        records = [
            record
            for experiment in self.experiments
            for record in read_runs([*places(experiment)], experiment.path.name, self._reader)
        ]
        self._ask(records)
        return [self._answered(record) for record in records]

    def _ask(self, records: Iterable[RunRecord]) -> None:
        """Ask the schedulers, now and then."""
        if time.monotonic() - self._asked > ASKED_EVERY:
            self._said = ask(records, self.warn)
            self._asked = time.monotonic()

    def _answered(self, record: RunRecord) -> RunRecord:
        return answered(record, self._said, clock(record.dir.path.parent))

    def start(self) -> None:
        """Take what is there as known."""
        for one in self.records():
            self._read_on(self._follow(one))

    def look(self, now: float) -> list[dict[str, Any]]:
        """Return what is new, as the page takes it."""
        self._ask([one.record for one in self._runs.values()])
        changes = [
            change
            for experiment in self.experiments
            for place in places(experiment)
            for change in self._changes(experiment, place, now)
        ]
        if changes and self._due is None:
            self._due = now + STATISTICS
        if any(change["kind"] != "points" for change in changes):
            self._due = now
        if self._due is None or now < self._due:
            return changes
        self._due = None
        return [*changes, {"kind": "statistics", "statistics": self._statistics()}]

    def _statistics(self) -> dict[str, Any]:
        runs = [*self._runs.values()]
        results, keys = [one.record for one in runs], [one.key for one in runs]
        return statistics(results, keys, [one.best for one in runs], self.question)

    def log(self, name: str, place: int) -> Fresh | None:
        """Read on in the log of the run called so; a place below zero asks for its end."""
        one = next((one for one in list(self._runs.values()) if one.key == name), None)
        if one is None:
            return None
        return log_from(one.record.dir.output, place, not one.record.status.alive)

    def _follow(self, record: RunRecord) -> Followed:
        folder = record.dir
        followed = Followed(record, key(record, self._labels), touched(folder))
        self._runs[folder.path] = followed
        return followed

    def _changes(
        self, experiment: ExperimentDir, place: RunDir, now: float
    ) -> Iterator[dict[str, Any]]:
        one = self._runs.get(place.path)
        if one is None:
            yield from self._new(experiment, place, now)
            return
        if one.record.status.alive or touched(place) != one.touched:
            yield from self._standing(experiment, one, now)
        for phase, points in self._read_on(one).items():
            names = sorted({name for _, _, values in points for name in values})
            yield {
                "kind": "points",
                "key": one.key,
                "phase": phase,
                "points": strict(points),
                "best": strict(one.best),
                "metrics": metrics_named(names, self.question),
            }

    def _new(
        self, experiment: ExperimentDir, place: RunDir, now: float
    ) -> Iterator[dict[str, Any]]:
        for record in read_runs([place], experiment.path.name, self._reader):
            one = self._answered(record)
            followed = self._follow(one)
            self._read_on(followed)
            seen = measured(one, self._reader.warn)
            yield {
                "kind": "run",
                "key": followed.key,
                "run": run(seen, followed.key, self.question, now, self._reader.warn),
                "metrics": metrics([seen], self.question),
            }

    def _standing(
        self, experiment: ExperimentDir, one: Followed, now: float
    ) -> Iterator[dict[str, Any]]:
        before = one.record.status
        place = one.record.dir
        one.touched = touched(place)
        for record in read_runs([place], experiment.path.name, self._reader):
            fresh = self._answered(record)
            one.record = fresh
            if fresh.status != before:
                yield {"kind": "standing", "key": one.key, "standing": standing(fresh, now)}

    def _read_on(self, one: Followed) -> Points:
        """Read what was added to a run's metrics, or to what it gave to TensorBoard."""
        folder = one.record.dir
        files = metric_files(folder)
        points = self._rows(one, files) if files else added_events(folder, one.places, one.told)
        for _, _, values in points.get("val", ()):
            self._note_best(one, values)
        return points

    def _rows(self, one: Followed, files: Sequence[Path]) -> Points:
        found: Points = {}
        for file in files:
            for record in added(file, one.places):
                seconds = one.seconds(record)
                if record.phase == "start":
                    continue
                nth = one.counts.get(record.phase, 0)
                one.counts[record.phase] = nth + 1
                epoch = record.epoch if record.epoch is not None else nth
                if math.isfinite(epoch):
                    point = (epoch, seconds, numbers(record))
                    found.setdefault(record.phase, []).append(point)
        return found

    def _note_best(self, one: Followed, values: Mapping[str, float]) -> None:
        for name, number in values.items():
            if not math.isnan(number):
                better = min if self.question.is_lower(name) else max
                one.best[name] = better(one.best.get(name, number), number)
