"""The curves of some runs, read on from where they were left, and drawn over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

from rich.text import Text

from runx.analysis.curves import Curve
from runx.analysis.question import Question
from runx.export.picture import Picture
from runx.export.terminal import MARKS, plane
from runx.printable import one_line
from runx.report.curves import Course
from runx.report.data import read_run_courses
from runx.report.followed import FollowedRun
from runx.report.tail import Points
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord

MOST = len(MARKS)
"""Curves that are drawn at most: of more nobody can tell which is which."""
COLOURS = dict(zip(MARKS, cycle(("cyan", "magenta", "yellow", "green", "blue", "red"))))
"""The colour of each mark: of a run in the table, and of its curve."""
_ROOM = 3
"""Lines of a picture beside those of its canvas and its legend."""
_LEAST = 5
"""Lines that a canvas has at least."""


class CurveView(NamedTuple):
    """What of the curves is shown: which metric, over seconds or epochs, on which scale."""

    metric: str = ""
    seconds: bool = False
    log: bool = False


class RunCurves:
    """What one run has measured so far, by the names that sumx gives metrics."""

    def __init__(self, record: RunRecord, warn: Callable[[str], None]) -> None:
        self._followed = FollowedRun(record, record.name, ())
        self._warn = warn
        self.points: dict[str, dict[float, tuple[float, float]]] = {}
        """By metric and epoch: the seconds at work, and the value."""
        self._read_all()

    def _read_all(self) -> None:
        """Read all that counts: what an attempt wrote and a later one wrote anew doesn't."""
        self._followed = FollowedRun(self._followed.record, self._followed.key, ())
        self._followed.read_points(Question())
        self.points = {}
        courses = read_run_courses(self._followed.record, self._warn).courses
        self._judged = self._followed.validation
        for phase, course in courses.items():
            for name, values in course.metrics.items():
                self._points_of(phase, name).update(_placed(course, values))
        self._followed.went_back = False

    def read_on(self, record: RunRecord) -> None:
        """Read what was added since."""
        self._followed.record = record
        self._add(self._followed.read_points(Question()))
        if self._followed.went_back or self._followed.validation != self._judged:
            self._read_all()

    def _add(self, added: Points) -> None:
        for phase, points in added.items():
            for epoch, seconds, values in points:
                for name, value in values.items():
                    self._points_of(phase, name)[epoch] = (seconds or 0.0, value)

    def _points_of(self, phase: str, name: str) -> dict[float, tuple[float, float]]:
        full = name if phase == self._judged else f"{phase}.{name}"
        return self.points.setdefault(full, {})

    def curve(self, view: CurveView) -> Curve:
        """Return the curve of a metric, empty where the run has none."""
        points = self.points.get(view.metric, {})
        pairs = sorted(
            (points[epoch][0] if view.seconds else epoch, points[epoch][1])
            for epoch in points
            if points[epoch][1] == points[epoch][1]
        )
        return Curve(
            one_line(self._followed.key), tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
        )


def _placed(course: Course, values: Sequence[float]) -> Iterator[tuple[float, tuple[float, float]]]:
    for epoch, seconds, value in zip(course.epochs, course.seconds, values, strict=True):
        yield epoch, (seconds, value)


class Curves:
    """The curves of the runs that are looked at."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._runs: dict[RunDir, RunCurves] = {}

    def read(self, records: Sequence[RunRecord]) -> None:
        """Read, or read on in, the metrics of runs; forget those of others."""
        runs = {}
        for record in records[:MOST]:
            known = self._runs.get(record.dir)
            if known:
                known.read_on(record)
            runs[record.dir] = known or RunCurves(record, self._warn)
        self._runs = runs

    @property
    def metrics(self) -> list[str]:
        """The metrics of these runs, those of validation first."""
        names = dict.fromkeys(name for run in self._runs.values() for name in run.points)
        return sorted(names, key=lambda name: name.partition(".")[0] in ("train", "test"))

    def lines(self, view: CurveView, columns: int, lines: int) -> list[Text]:
        """Return the picture of a metric, as large as there is room, each curve in its colour."""
        curves = tuple(run.curve(view) for run in self._runs.values())
        if not any(curve.xs for curve in curves):
            return [Text(f"no {one_line(view.metric) or 'metrics'} yet")]
        across, up = "seconds" if view.seconds else "epoch", one_line(view.metric)
        picture = Picture(up, across, up, "y" if view.log else "", curves)
        height = max(lines - _ROOM - len(curves), _LEAST)
        return [
            _legend(line) if at >= height + _ROOM else _canvas(line) if at else Text(line)
            for at, line in enumerate(plane(picture, columns, height))
        ]


def _canvas(line: str) -> Text:
    edge, bar, canvas = line.partition(" |")
    text = Text(edge + bar)
    for letter in canvas:
        text.append(letter, COLOURS.get(letter))
    return text


def _legend(line: str) -> Text:
    return Text(line, COLOURS.get(line.strip()[:1], ""), no_wrap=True)
