"""Runs as they stand, looked at again and again: what has not changed is not read again."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from runx.analysis.ask import ask_schedulers, with_job_status
from runx.analysis.overview import status_table
from runx.analysis.question import Question
from runx.analysis.read import Reader, index_for, read_runs
from runx.analysis.select import refuse_other_tools
from runx.analysis.table import Table, chosen, sort_keys
from runx.errors import RunxError
from runx.processes import worker_count
from runx.report.follow import ASK_EVERY
from runx.rundir.attempts import NO_STATUSES, JobStatuses, clock
from runx.rundir.experiments import find, is_own_run, run_dirs
from runx.rundir.paths import ATTEMPTS, METRICS, ExperimentDir, RunDir
from runx.rundir.run import RunRecord

FIND_EVERY = 10.0
"""Seconds between two searches for experiments."""
_STAMPED = ("", f"/{ATTEMPTS}", f"/{METRICS}")
"""What of a run is looked at to know whether a run that is over has changed."""
Warn = Callable[[str], None]
Stamp: TypeAlias = tuple[int, ...]


class Look(NamedTuple):
    """A directory as it was last read: its record, None where it is no run, and its stamp."""

    record: RunRecord | None
    stamp: Stamp

    def holds(self, stamp: Stamp) -> bool:
        """Return whether it need not be read again: it is over, and has not changed."""
        return stamp == self.stamp and not (self.record and self.record.status.alive)


class LiveRuns:
    """The runs of the experiments that are named, or of all under LOGROOT."""

    def __init__(
        self, names: Sequence[str], logroot: Path, cwd: Path, question: Question, warn: Warn
    ) -> None:
        self.question = question
        self.experiments: list[ExperimentDir] = []
        self.records: list[RunRecord] = []
        self._names, self._logroot, self._cwd, self.warn = names, logroot, cwd, warn
        self._looks: dict[str, Look] = {}
        self._is_first = True
        self._find_at = self._ask_at = -math.inf
        self._answers: JobStatuses = NO_STATUSES

    def start(self) -> None:
        """Read all runs.

        Raises:
            RunxError: There is no such experiment, no LOGROOT, or only runs of other tools.
        """
        if not self._names and not self._logroot.is_dir():
            raise RunxError(
                f"LOGROOT {self._logroot} isn't there; launch an experiment, or see --logroot"
            )
        for each in find(self._names or ["*"], self._logroot, self._cwd, self.warn):
            if not any(is_own_run(os.fspath(run)) for run in run_dirs(each)):
                refuse_other_tools(each.path)
        self.look()

    def look(self) -> None:
        """Read what has changed since the last look, and what runs."""
        if time.monotonic() >= self._find_at:
            self._find()
        looks: dict[str, Look] = {}
        for experiment in self.experiments:
            looks.update(self._look_at(experiment))
        self._looks, self._is_first = looks, False
        records = [look.record for look in looks.values() if look.record]
        if time.monotonic() >= self._ask_at:
            self._answers = ask_schedulers(records, self.warn)
            self._ask_at = time.monotonic() + ASK_EVERY
        self.records = [self._answered(record) for record in records]

    def _answered(self, record: RunRecord) -> RunRecord:
        if not self._answers:
            return record
        return with_job_status(record, self._answers, clock(record.dir.path.parent))

    def _find(self) -> None:
        """Find the experiments; where one that was named is gone, those that are known stay."""
        self._find_at = time.monotonic() + FIND_EVERY
        try:
            names = self._names or ["*"]
            self.experiments = find(names, self._logroot, self._cwd, lambda line: None)
        except RunxError as error:
            self.warn(str(error))

    def _look_at(self, experiment: ExperimentDir) -> Iterator[tuple[str, Look]]:
        try:
            runs = {os.fspath(run): run for run in run_dirs(experiment)}
        except RunxError as error:
            self.warn(str(error))
            return
        stamps = {path: _stamp(path) for path in runs}
        changed = [run for path, run in runs.items() if not self._holds(path, stamps[path])]
        read = {os.fspath(record.dir): record for record in self._read(changed, experiment)}
        for path in runs:
            is_known = path not in read and self._holds(path, stamps[path])
            yield path, self._looks[path] if is_known else Look(read.get(path), stamps[path])

    def _holds(self, path: str, stamp: Stamp) -> bool:
        return path in self._looks and self._looks[path].holds(stamp)

    def _read(self, runs: Sequence[RunDir], experiment: ExperimentDir) -> Iterator[RunRecord]:
        processes = worker_count() if self._is_first else 1
        question = self.question
        reader = Reader(
            question.measures, self.warn, details=question.details, processes=processes, ask=False
        )
        # It is worth its reading for many runs that are over: those of the first look.
        index = index_for(runs, experiment, reader) if self._is_first else None
        return read_runs(runs, experiment.path.name, reader, index)

    def expect_changes(self) -> None:
        """Have the next look ask schedulers, too: something has been done to runs."""
        self._ask_at = -math.inf

    def ask(self, question: Question) -> None:
        """Have the next look answer another question."""
        needs = {*question.measures, *question.details}
        if not needs <= {*self.question.measures, *self.question.details}:
            self._looks, self._is_first = {}, True
        self.question = question

    def check(self, question: Question) -> str:
        """Return what is wrong with a question about these runs, "" where nothing is."""
        try:
            if self.records:
                sort_keys(chosen(self.records, question), question)
        except RunxError as error:
            return str(error)
        return ""

    def table(self, now: float) -> Table:
        """Return the table of those runs that the question selects, as it sorts them.

        Raises:
            RunxError: No run has what the question names, any more.
        """
        shown = chosen(self.records, self.question) if self.records else []
        return status_table(shown, now, self.question)


def question_of(where: str, sortwith: str) -> Question:
    """Return the question with a condition, and names to sort by with commas between them.

    >>> question_of("", "acc, lr").sortwith
    ('acc', 'lr')
    """
    names = (name.strip() for name in sortwith.split(","))
    return Question(where=where, sortwith=tuple(filter(None, names)))


def _stamp(path: str) -> Stamp:
    """Return when parts of a run last changed (ns), 0 for what is missing."""
    return tuple(_changed(f"{path}{part}") for part in _STAMPED)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  a thousand runs are looked at
    except OSError:
        return 0
