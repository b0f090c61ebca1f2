"""What has changed in experiments since the last look: new runs, states, points and statistics.

Files are read on from where they were left, so that a look at a thousand quiet runs costs a
thousand stats.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from runx.analysis.ask import ask_schedulers, with_job_status
from runx.analysis.failures import Causes
from runx.analysis.gpus import gpu_lines
from runx.analysis.question import Question
from runx.analysis.read import Reader, read_runs
from runx.analysis.runjson import json_safe
from runx.errors import RunxError
from runx.report.curves import validation
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
from runx.report.followed import FollowedRun
from runx.report.searches import searches
from runx.report.statistics import statistics
from runx.report.stepgraph import step_graph
from runx.report.tail import LogPart, attempts_changed, read_log
from runx.rundir.attempts import NO_STATUSES, JobStatuses, clock
from runx.rundir.experiments import run_dirs
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State

STATISTICS = 10.0
"""Seconds until new points count in the statistics of all runs; a run's end counts at once."""

DISCOVER = 5.0
"""Seconds between two looks for experiments that are new."""

Discover: TypeAlias = Callable[[], Sequence[ExperimentDir]]

ASK_EVERY = 30.0
"""Seconds between two queries of the schedulers of runs that are followed."""


class Follower:
    """Experiments that are looked at again and again."""

    def __init__(
        self,
        experiments: Sequence[ExperimentDir],
        question: Question,
        warn: Callable[[str], None],
        discover: Discover | None = None,
    ) -> None:
        self.experiments = experiments
        self.question = question
        self.warn = warn
        self._discover = discover
        self._discover_due = -math.inf
        self._prefixes = name_prefixes(experiments)
        self._reader = Reader(question.measures, warn, ask=False)
        self._runs: dict[Path, FollowedRun] = {}
        self._statistics_due: float | None = None
        self._graph: list[dict[str, Any]] = []
        self._graph_due = -math.inf
        self._causes = Causes()
        self._answers: JobStatuses = NO_STATUSES
        self._asked_at = -math.inf

    def start(self) -> None:
        """Read all runs, so that changes() returns what comes after."""
        for record in self.records():
            run = self._add(record)
            run.read_points(self.question)
            if run.went_back:
                self._measure(run)
        self._graph = self._step_graph()

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
        if self._has_others(now):
            return [{"kind": "reload"}]
        self._ask([run.record for run in self._runs.values()])
        changes = [
            change
            for experiment in self.experiments
            for folder in run_dirs(experiment)
            for change in self._changes_of(experiment, folder, now)
        ]
        if self._steps_changed(now):
            self._statistics_due = now
        if changes and self._statistics_due is None:
            self._statistics_due = now + STATISTICS
        if any(change["kind"] != "points" for change in changes):
            self._statistics_due = now
        if self._statistics_due is None or now < self._statistics_due:
            return changes
        self._statistics_due = None
        return [*changes, {"kind": "statistics", "statistics": self._statistics(now)}]

    def _has_others(self, now: float) -> bool:
        """Return whether there are experiments now that weren't; they are followed from then on."""
        if self._discover is None or now < self._discover_due:
            return False
        self._discover_due = now + DISCOVER
        try:
            found = self._discover()
        except RunxError:  # All were removed: what is shown stays.
            return False
        if {each.path for each in found} == {each.path for each in self.experiments}:
            return False
        self.experiments, self._prefixes, self._runs = found, name_prefixes(found), {}
        self.start()
        return True

    def _steps_changed(self, now: float) -> bool:
        """Return whether steps stand otherwise that gather runs: no run changes with those."""
        if now < self._graph_due:
            return False
        self._graph_due = now + STATISTICS
        before, self._graph = self._graph, self._step_graph()
        return self._graph != before

    def _step_graph(self) -> list[dict[str, Any]]:
        return step_graph([run.record for run in self._runs.values()], self.warn)

    def _statistics(self, now: float) -> dict[str, Any]:
        self._graph = self._step_graph()
        runs = [*self._runs.values()]
        records, keys = [run.record for run in runs], [run.key for run in runs]
        key_by_path = {run.record.dir.path: run.key for run in runs}
        return {
            **statistics(records, keys, [run.best for run in runs], self.question),
            "graph": self._graph,
            "searches": searches(records, key_by_path, self.warn, self._causes),
            "gpus": [*gpu_lines(records, now)],
        }

    def log(self, key: str, place: int, step: str = "") -> LogPart | None:
        """Read on in the log of a run, or its end for a place below zero; None without the run.

        Of a run with steps it is that of a step, by default that which decides its state.
        """
        # A list: another thread may add a run meanwhile.
        run = next((run for run in list(self._runs.values()) if run.key == key), None)
        if run is None:
            return None
        for each in run.record.steps:
            if each.name == (step or run.record.step):
                return read_log(each.dir.output, place, not each.status.alive)
        return read_log(run.record.dir.output, place, not run.record.status.alive)

    def _add(self, record: RunRecord) -> FollowedRun:
        key = run_key(record, self._prefixes)
        run = FollowedRun(record, key, attempts_changed(record))
        self._runs[record.dir.path] = run
        return run

    def _changes_of(
        self, experiment: ExperimentDir, folder: RunDir, now: float
    ) -> Iterator[dict[str, Any]]:
        run = self._runs.get(folder.path)
        if run is None:
            yield from self._new_run(experiment, folder, now)
            return
        if run.record.status.alive or attempts_changed(run.record) != run.attempts_changed:
            yield from self._new_state(experiment, run, now)
        new = run.read_points(self.question)
        if run.went_back:
            yield from self._whole_run(run, now)
            return
        for phase, points in new.items():
            names = sorted({name for _, _, values in points for name in values})
            yield {
                "kind": "points",
                "key": run.key,
                "phase": phase,
                "validates": phase == run.validation,
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
            run.read_points(self.question)
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
        before = run.record.status, _states(run.record)
        folder = run.record.dir
        run.attempts_changed = attempts_changed(run.record)
        for unasked in read_runs([folder], experiment.path.name, self._reader):
            run.record = self._answered(unasked)
            if (run.record.status, _states(run.record)) != before:
                state = state_object(run.record, now)
                yield {"kind": "state", "key": run.key, "state": state}


def _states(record: RunRecord) -> list[State]:
    return [step.status for step in record.steps]
