"""A run that is followed: what was added to its metrics since they were last read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runx.analysis.measurements import is_logx
from runx.analysis.question import Question
from runx.report.curves import metric_files, numbers, validation
from runx.report.tail import Points, Sent, new_points, read_new_found, read_new_rows
from runx.rundir.records import Record
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles


@dataclass(slots=True)
class FollowedRun:
    """A run that is followed: its last record, and how far its files have been read.

    ``went_back``: whether rows that were read have been superseded since by another attempt's.
    """

    record: RunRecord
    key: str
    attempts_changed: tuple[int, ...]
    best: dict[str, float] = field(default_factory=dict)
    went_back: bool = False
    _read_to: dict[Path, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _sent: Sent = field(default_factory=dict)
    _seen: RunFiles | None = None
    _reached: dict[str, float] = field(default_factory=dict)
    _reached_before: dict[str, float] = field(default_factory=dict)
    _worked: float = 0.0
    _began: float | None = None
    _latest: float | None = None

    @property
    def validation(self) -> str:
        """The phase that it is judged by, of those that it has measured."""
        return validation({*self._counts, *(phase for phase, _ in self._sent)})

    def read_points(self, question: Question) -> Points:
        """Read what was added to its metrics, and what its script left elsewhere."""
        by_logx = is_logx(self.record.dir)
        points = self._logged() if by_logx else {}
        # Without METRICS, nothing is looked for where logx writes.
        if not by_logx or self.record.sources:
            for phase, new in self._found().items():
                points.setdefault(phase, []).extend(new)
        for _, _, values in points.get(self.validation, ()):
            self._note_best(values, question)
        return points

    def _logged(self) -> Points:
        points: Points = {}
        for file in metric_files(self.record.dir):
            for record in read_new_rows(file, self._read_to):
                seconds = self._seconds(record)
                if record.phase == "start":
                    self._reached_before = {**self._reached}
                    continue
                nth = self._counts.get(record.phase, 0)
                # Until there is validation, a run was judged by its tests.
                self.went_back |= record.phase == "val" and nth == 0 and "test" in self._counts
                self._counts[record.phase] = nth + 1
                epoch = record.epoch if record.epoch is not None else nth
                if math.isfinite(epoch):
                    self._note_epoch(record.phase, epoch)
                    point = (epoch, seconds, numbers(record))
                    points.setdefault(record.phase, []).append(point)
        return points

    def _found(self) -> Points:
        found = read_new_found(self.record.dir, self._seen)
        if found is None:
            return {}
        by_phase, self._seen = found
        new = {phase: new_points(course, phase, self._sent) for phase, course in by_phase.items()}
        self._counts.update((phase, len(course.epochs)) for phase, course in by_phase.items())
        now = {(phase, at) for phase, course in by_phase.items() for at in course.epochs}
        # An attempt has begun anew: what was sent of an earlier one doesn't count.
        self.went_back |= not self._sent.keys() <= now
        for gone in self._sent.keys() - now:
            del self._sent[gone]
        return {phase: points for phase, points in new.items() if points}

    def _seconds(self, record: Record) -> float | None:
        """Return the seconds at work until a record, without pauses between attempts."""
        time = record.timestamp
        if time is None:
            return None
        if self._began is None or record.phase == "start":
            if self._began is not None and self._latest is not None:
                self._worked += max(self._latest - self._began, 0.0)
            self._began = time
        self._latest = time
        return self._worked + time - self._began

    def _note_epoch(self, phase: str, epoch: float) -> None:
        """Note the epoch of a row: whether it goes back behind those of an earlier attempt."""
        self.went_back |= epoch <= self._reached_before.get(phase, -math.inf)
        self._reached[phase] = max(epoch, self._reached.get(phase, -math.inf))

    def _note_best(self, values: Mapping[str, float], question: Question) -> None:
        for name, number in values.items():
            if not math.isnan(number):
                better = min if question.is_lower(name) else max
                self.best[name] = better(self.best.get(name, number), number)
