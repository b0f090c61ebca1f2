"""What has changed in experiments since the last look: new runs, states, points and statistics.

Files are read on from where they were left, so that a look at a thousand quiet runs costs a
thousand stats.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runx.analysis.ask import ask_schedulers, with_job_status
from runx.analysis.measurements import is_logx
from runx.analysis.question import Question
from runx.analysis.read import Reader, read_runs
from runx.analysis.runjson import json_safe
from runx.report.curves import metric_files, numbers, validation
from runx.report.data import (
    RunCourses,
    best_values,
    metric_names,
    metric_objects,
    name_prefixes,
    read_run_courses,
    run_key,
    run_object,
    state_object,
)
from runx.report.statistics import statistics
from runx.report.tail import (
    LogPart,
    Points,
    Sent,
    attempts_changed,
    new_points,
    read_log,
    read_new_found,
    read_new_rows,
)
from runx.rundir.attempts import NO_STATUSES, JobStatuses, clock
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.records import Record
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles

STATISTICS = 10.0
"""Seconds until new points count in the statistics of all runs; a run's end counts at once."""

ASK_EVERY = 30.0
"""Seconds between two queries of the schedulers of runs that are followed."""


@dataclass(slots=True)
class FollowedRun:
    """A run that is followed: its last record, and how far its files have been read.

    ``went_back``: whether rows that were read have been superseded since by another attempt's.
    """

    record: RunRecord
    key: str
    attempts_changed: int
    read_to: dict[Path, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    sent: Sent = field(default_factory=dict)
    seen: RunFiles | None = None
    best: dict[str, float] = field(default_factory=dict)
    went_back: bool = False
    _reached: dict[str, float] = field(default_factory=dict)
    _reached_before: dict[str, float] = field(default_factory=dict)
    _worked: float = 0.0
    _began: float | None = None
    _latest: float | None = None

    @property
    def phases(self) -> set[str]:
        """The phases that it has measured."""
        return {*self.counts, *(phase for phase, _ in self.sent)}

    def seconds(self, record: Record) -> float | None:
        """Return the seconds at work until the next record, without pauses between attempts."""
        time = record.timestamp
        if time is None:
            return None
        if self._began is None or record.phase == "start":
            if self._began is not None and self._latest is not None:
                self._worked += max(self._latest - self._began, 0.0)
            self._began = time
        self._latest = time
        return self._worked + time - self._began

    def note_epoch(self, phase: str, epoch: float) -> None:
        """Note the epoch of a row: whether it goes back behind those of an earlier attempt."""
        self.went_back |= epoch <= self._reached_before.get(phase, -math.inf)
        self._reached[phase] = max(epoch, self._reached.get(phase, -math.inf))

    def note_start(self) -> None:
        """Note that another execution has begun."""
        self._reached_before = {**self._reached}


class Follower:
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
        self._prefixes = name_prefixes(experiments)
        self._reader = Reader(question.measures, warn, ask=False)
        self._runs: dict[Path, FollowedRun] = {}
        self._statistics_due: float | None = None
        self._answers: JobStatuses = NO_STATUSES
        self._asked_at = -math.inf

    def start(self) -> None:
        """Read all runs, so that changes() returns what comes after."""
        for record in self.records():
            run = self._add(record)
            self._read_points(run)
            if run.went_back:
                self._measure(run)

    def records(self) -> list[RunRecord]:
        """Return the records of all runs, read anew."""
        records = [
            record
            for experiment in self.experiments
            for record in read_runs([*run_dirs(experiment)], experiment.path.name, self._reader)
        ]
        self._ask(records)
        return [self._answered(record) for record in records]

    def _ask(self, records: Iterable[RunRecord]) -> None:
        """Query the schedulers, unless that was done a moment ago."""
        if time.monotonic() - self._asked_at > ASK_EVERY:
            self._answers = ask_schedulers(records, self.warn)
            self._asked_at = time.monotonic()

    def _answered(self, record: RunRecord) -> RunRecord:
        return with_job_status(record, self._answers, clock(record.dir.path.parent))

    def changes(self, now: float) -> list[dict[str, Any]]:
        """Return what has changed since the last call, as the page takes it."""
        self._ask([run.record for run in self._runs.values()])
        changes = [
            change
            for experiment in self.experiments
            for folder in run_dirs(experiment)
            for change in self._changes_of(experiment, folder, now)
        ]
        if changes and self._statistics_due is None:
            self._statistics_due = now + STATISTICS
        if any(change["kind"] != "points" for change in changes):
            self._statistics_due = now
        if self._statistics_due is None or now < self._statistics_due:
            return changes
        self._statistics_due = None
        return [*changes, {"kind": "statistics", "statistics": self._statistics()}]

    def _statistics(self) -> dict[str, Any]:
        runs = [*self._runs.values()]
        records, keys = [run.record for run in runs], [run.key for run in runs]
        return statistics(records, keys, [run.best for run in runs], self.question)

    def log(self, key: str, place: int) -> LogPart | None:
        """Read on in the log of a run, or its end for a place below zero; None without the run."""
        # A list: another thread may add a run meanwhile.
        run = next((run for run in list(self._runs.values()) if run.key == key), None)
        if run is None:
            return None
        return read_log(run.record.dir.output, place, not run.record.status.alive)

    def _add(self, record: RunRecord) -> FollowedRun:
        key = run_key(record, self._prefixes)
        run = FollowedRun(record, key, attempts_changed(record.dir))
        self._runs[record.dir.path] = run
        return run

    def _changes_of(
        self, experiment: ExperimentDir, folder: RunDir, now: float
    ) -> Iterator[dict[str, Any]]:
        run = self._runs.get(folder.path)
        if run is None:
            yield from self._new_run(experiment, folder, now)
            return
        if run.record.status.alive or attempts_changed(folder) != run.attempts_changed:
            yield from self._new_state(experiment, run, now)
        new = self._read_points(run)
        if run.went_back:
            yield from self._whole_run(run, now)
            return
        for phase, points in new.items():
            names = sorted({name for _, _, values in points for name in values})
            yield {
                "kind": "points",
                "key": run.key,
                "phase": phase,
                "validates": phase == validation(run.phases),
                "points": json_safe(points),
                "best": json_safe(run.best),
                "metrics": metric_objects(names, self.question),
            }

    def _new_run(
        self, experiment: ExperimentDir, folder: RunDir, now: float
    ) -> Iterator[dict[str, Any]]:
        for unasked in read_runs([folder], experiment.path.name, self._reader):
            record = self._answered(unasked)
            run = self._add(record)
            self._read_points(run)
            yield from self._whole_run(run, now)

    def _whole_run(self, run: FollowedRun, now: float) -> Iterator[dict[str, Any]]:
        """Return all about a run that is new, or of which rows that were sent don't count now."""
        measured = self._measure(run)
        yield {
            "kind": "run",
            "key": run.key,
            "run": run_object(measured, run.key, self.question, now, self._reader.warn),
            "metrics": metric_objects(metric_names([measured]), self.question),
        }

    def _measure(self, run: FollowedRun) -> RunCourses:
        """Read anew what a run has measured, and note its best values."""
        measured = read_run_courses(run.record, self._reader.warn)
        course = measured.courses.get(validation(measured.courses))
        run.best, run.went_back = best_values(course, self.question), False
        return measured

    def _new_state(
        self, experiment: ExperimentDir, run: FollowedRun, now: float
    ) -> Iterator[dict[str, Any]]:
        before = run.record.status
        folder = run.record.dir
        run.attempts_changed = attempts_changed(folder)
        for unasked in read_runs([folder], experiment.path.name, self._reader):
            run.record = self._answered(unasked)
            if run.record.status != before:
                state = state_object(run.record, now)
                yield {"kind": "standing", "key": run.key, "standing": state}

    def _read_points(self, run: FollowedRun) -> Points:
        """Read what was added to a run's metrics, and what its script left elsewhere."""
        folder = run.record.dir
        by_logx = is_logx(folder)
        points = self._points(run, metric_files(folder)) if by_logx else {}
        # Without METRICS, nothing is looked for where logx writes.
        if not by_logx or run.record.sources:
            for phase, new in self._found_points(run).items():
                points.setdefault(phase, []).extend(new)
        for _, _, values in points.get(validation(run.phases), ()):
            self._note_best(run, values)
        return points

    def _found_points(self, run: FollowedRun) -> Points:
        found = read_new_found(run.record.dir, run.seen)
        if found is None:
            return {}
        by_phase, run.seen = found
        points = {phase: new_points(course, phase, run.sent) for phase, course in by_phase.items()}
        run.counts.update((phase, len(course.epochs)) for phase, course in by_phase.items())
        now = {(phase, at) for phase, course in by_phase.items() for at in course.epochs}
        # An attempt has begun anew: what was sent of an earlier one doesn't count.
        run.went_back |= not run.sent.keys() <= now
        for gone in run.sent.keys() - now:
            del run.sent[gone]
        return {phase: new for phase, new in points.items() if new}

    def _points(self, run: FollowedRun, files: Sequence[Path]) -> Points:
        points: Points = {}
        for file in files:
            for record in read_new_rows(file, run.read_to):
                seconds = run.seconds(record)
                if record.phase == "start":
                    run.note_start()
                    continue
                nth = run.counts.get(record.phase, 0)
                # Until there is validation, a run was judged by its tests.
                run.went_back |= record.phase == "val" and nth == 0 and "test" in run.counts
                run.counts[record.phase] = nth + 1
                epoch = record.epoch if record.epoch is not None else nth
                if math.isfinite(epoch):
                    run.note_epoch(record.phase, epoch)
                    point = (epoch, seconds, numbers(record))
                    points.setdefault(record.phase, []).append(point)
        return points

    def _note_best(self, run: FollowedRun, values: Mapping[str, float]) -> None:
        for name, number in values.items():
            if not math.isnan(number):
                better = min if self.question.is_lower(name) else max
                run.best[name] = better(run.best.get(name, number), number)
