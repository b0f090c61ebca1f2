"""One run of a page: its name among the others, how it stands and all that it has measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.formats.json import strict
from runx.reading.standing import Standing, elapsed
from runx.report.about import about, attempt
from runx.report.courses import Course, encoded, read_courses, thinned
from runx.rundir import ExperimentDir
from runx.tables.question import Question

Warn = Callable[[str], None]


class Seen(NamedTuple):
    """A run and what it has measured."""

    standing: Standing
    courses: dict[str, Course]


def look(one: Standing, warn: Warn) -> Seen:
    """Read what a run has measured."""
    return Seen(one, read_courses(one.result.dir, partial(_damaged, warn)))


def _damaged(warn: Warn, file: Path, line: int, why: str) -> None:
    # collect has already told of the validation rows.
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


def key(one: Standing, names: Mapping[Path, str]) -> str:
    """Name a run among all that a page shows."""
    return names.get(one.result.dir.path.parent, "") + one.result.name


def run(one: Seen, key: str, question: Question, now: float, warn: Warn) -> dict[str, Any]:
    """Tell all about one run."""
    result, state = one.standing.result, one.standing.state
    return {
        **about(one.standing, warn),
        **standing(one.standing, now),
        "key": key,
        "name": result.name,
        "experiment": result.experiment,
        "exit": state.code,
        "hparams": strict(dict(result.hparams)),
        "last": strict(dict(result.metrics)),
        "best": strict(best(one.courses.get("val"), question)),
        "epoch": strict(result.epoch),
        "epoch_time": strict(result.epoch_time),
        "courses": {phase: encoded(thinned(course)) for phase, course in one.courses.items()},
    }


def standing(one: Standing, now: float) -> dict[str, Any]:
    """Tell how a run stands; this much may change while a page is looked at."""
    return {
        "state": one.state.name,
        "reason": one.state.reason,
        "elapsed": strict(elapsed(one, now)),
        "attempts": [attempt(found) for found in one.facts.attempts],
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
