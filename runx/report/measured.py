"""One run of a page: its name among the others, how it stands and all that it has measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.formats.json import strict
from runx.report.about import about, attempt
from runx.report.courses import Course, encoded, read_courses, thinned
from runx.rundir import ExperimentDir
from runx.tables.question import Question
from runx.types import RunRecord

Warn = Callable[[str], None]


class Measured(NamedTuple):
    """A run and what it has measured, phase by phase."""

    record: RunRecord
    courses: dict[str, Course]


def measured(record: RunRecord, warn: Warn) -> Measured:
    """Read what a run has measured."""
    return Measured(record, read_courses(record.dir, partial(_damaged, warn)))


def _damaged(warn: Warn, file: Path, line: int, why: str) -> None:
    # Whoever read the run has warned of the validation rows.
    if file.name != "metrics.csv":
        warn(f"{file}, line {line}: left out: {why}")


def labels(experiments: Sequence[ExperimentDir]) -> dict[Path, str]:
    """Say what goes before the names of an experiment's runs, so that all runs are told apart.

    >>> labels([ExperimentDir(Path("/a/sweep")), ExperimentDir(Path("/b/lr"))])
    {PosixPath('/a/sweep'): 'sweep/', PosixPath('/b/lr'): 'lr/'}
    """
    if len(experiments) < 2:
        return {}
    names = [experiment.path.name for experiment in experiments]
    return {
        one.path: f"{one.path.name if names.count(one.path.name) == 1 else one.path}/"
        for one in experiments
    }


def key(record: RunRecord, names: Mapping[Path, str]) -> str:
    """Return the name of a run among all that a page shows."""
    return names.get(record.dir.path.parent, "") + record.name


def run(one: Measured, key: str, question: Question, now: float, warn: Warn) -> dict[str, Any]:
    """Return all about one run."""
    record = one.record
    return {
        **about(record, warn),
        **standing(record, now),
        "key": key,
        "name": record.name,
        "experiment": record.experiment,
        "exit": record.status.code,
        "hparams": strict(dict(record.hparams)),
        "last": strict(dict(record.metrics)),
        "best": strict(best(one.courses.get("val"), question)),
        "epoch": strict(record.epoch),
        "epoch_time": strict(record.epoch_time),
        "courses": {phase: encoded(thinned(course)) for phase, course in one.courses.items()},
    }


def standing(record: RunRecord, now: float) -> dict[str, Any]:
    """Return a run's state and attempts; this much may change while a page is looked at."""
    return {
        "state": record.state,
        "reason": record.status.reason,
        "elapsed": strict(record.elapsed(now)),
        "attempts": [attempt(one) for one in record.attempts],
    }


def best(course: Course | None, question: Question) -> dict[str, float]:
    """Give the best value of each metric; what is no number doesn't count.

    >>> best(Course([0, 1], [0.0, 1.0], {"acc": [8.0, 9.0], "loss": [0.2, 0.3]}), Question())
    {'acc': 9.0, 'loss': 0.2}
    """
    found = {}
    for name, values in (course.metrics if course else {}).items():
        real = [value for value in values if not math.isnan(value)]
        if real:
            found[name] = min(real) if question.is_lower(name) else max(real)
    return found
