"""An experiment as the page reads it: one JSON object with everything that it can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.better import direction, lower_is_better
from runx.analysis.cells import strict
from runx.analysis.columns import names_of
from runx.analysis.question import Question
from runx.analysis.table import summarize
from runx.report.curves import Course, encoded, read_courses, thinned
from runx.report.details import about, attempt, diffs, distinct, tree_of
from runx.report.statistics import statistics
from runx.rundir.experiments import launches
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord

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


VERSION = 1


def model(
    experiments: Sequence[ExperimentDir],
    records: Sequence[RunRecord],
    question: Question,
    now: float,
    warn: Warn,
) -> dict[str, Any]:
    """Gather what a page shows of the runs of some experiments."""
    seen = [measured(record, warn) for record in records]
    names = labels(experiments)
    runs = [run(one, key(one.record, names), question, now, warn) for one in seen]
    objective = _objective(seen, question)
    return {
        "version": VERSION,
        "experiment": ", ".join(experiment.path.name for experiment in experiments),
        "made": now,
        "said": said(experiments, warn),
        **statistics(records, [one["key"] for one in runs], [_best(one) for one in runs], question),
        "metrics": metrics(seen, question),
        "phases": phases(seen),
        "objective": objective,
        "runs": runs,
        "diffs": _diffs(seen, runs, objective, question),
    }


def _best(run: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in run["best"].items()}


def metrics(seen: Iterable[Measured], question: Question) -> list[dict[str, Any]]:
    """Name all that was measured and say which way is better, and whether that is known."""
    names = names_of(course.metrics for one in seen for course in one.courses.values())
    return metrics_named(names, question)


def metrics_named(names: Iterable[str], question: Question) -> list[dict[str, Any]]:
    """Return of each metric which way is better, and whether that is known."""
    told = {*question.lower, *question.higher}
    return [
        {
            "name": name,
            "lower": lower_is_better(name, question.lower, question.higher),
            "known": name in told or direction(name) is not None,
        }
        for name in names
    ]


def phases(seen: Iterable[Measured]) -> list[str]:
    """Name the phases in the order in which they are spoken of."""
    usual = ["train", "val", "test"]
    found = {phase for one in seen for phase in one.courses}
    return [phase for phase in usual if phase in found] + sorted(found.difference(usual))


def _objective(seen: Sequence[Measured], question: Question) -> str:
    """Name the metric that runs are ranked by: the one asked for, one that is known, the first."""
    if question.sortwith:
        return question.deciding(question.sortwith[0]).metric
    keys = summarize((one.record for one in seen), question).sorted_by
    return keys[0].column.name if keys else _first_metric(seen)


def _first_metric(seen: Iterable[Measured]) -> str:
    names = names_of(course.metrics for one in seen for course in one.courses.values())
    return names[0] if names else ""


def said(experiments: Iterable[ExperimentDir], warn: Warn) -> list[dict[str, str]]:
    """Give what people said of the launches: titles and notes, each once."""
    told = [
        {"experiment": experiment.path.name, "when": launch.name[:10], "text": text}
        for experiment in experiments
        for launch in launches(experiment, warn)
        for text in (launch.title, launch.note)
        if text
    ]
    return list({(one["experiment"], one["text"]): one for one in told}.values())


def _diffs(
    seen: Sequence[Measured], runs: Sequence[dict[str, Any]], objective: str, question: Question
) -> dict[str, str]:
    """Compare the codes of the runs, where there are several."""
    trees = {}
    for name in distinct([one["digest"] for one in runs]):
        nth = next(at for at, one in enumerate(runs) if one["digest"] == name)
        folder = seen[nth].record.dir
        tree = tree_of(ExperimentDir(folder.path.parent), folder, name)
        if tree:
            trees[name] = tree
    if len(trees) < 2:
        return {}
    return diffs(trees, _best_digest(runs, objective, question))


def _best_digest(runs: Sequence[dict[str, Any]], objective: str, question: Question) -> str | None:
    sign = 1 if question.is_lower(objective) else -1
    ranked = sorted(
        (one for one in runs if isinstance(one["best"].get(objective), (int, float))),
        key=lambda one: sign * one["best"][objective],
    )
    return ranked[0]["digest"] if ranked else None
