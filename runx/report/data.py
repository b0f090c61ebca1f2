"""An experiment as the page reads it: one JSON object with everything that it can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.better import direction, lower_is_better
from runx.columns import names_of, varying
from runx.experiments import launches
from runx.formats.json import strict
from runx.question import Question
from runx.report.about import about, attempt
from runx.report.codediff import diffs, distinct, tree_of
from runx.report.courses import Course, encoded, read_courses, thinned
from runx.rundir import ExperimentDir
from runx.standing import Standing, elapsed
from runx.summary import summarize

VERSION = 1

Warn = Callable[[str], None]


class Seen(NamedTuple):
    """A run and what it has measured."""

    standing: Standing
    courses: dict[str, Course]


def model(
    experiments: Sequence[ExperimentDir],
    standings: Iterable[Standing],
    question: Question,
    now: float,
    warn: Warn,
) -> dict[str, Any]:
    """Gather what a page shows of the runs of some experiments."""
    seen = [look(one, warn) for one in standings]
    results = [one.standing.result for one in seen]
    names = labels(experiments)
    runs = [run(one, key(one.standing, names), question, now, warn) for one in seen]
    objective = _objective(seen, question)
    return {
        "version": VERSION,
        "experiment": ", ".join(experiment.path.name for experiment in experiments),
        "made": now,
        "said": said(experiments, warn),
        "hparams": names_of(result.hparams for result in results),
        "varying": varying(results, question.ignore),
        "metrics": metrics(seen, question),
        "phases": phases(seen),
        "objective": objective,
        "runs": runs,
        "diffs": _diffs(seen, runs, objective, question),
    }


def look(one: Standing, warn: Warn) -> Seen:
    """Read what a run has measured."""
    return Seen(one, read_courses(one.result.dir, partial(_damaged, warn)))


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


def _damaged(warn: Warn, file: Path, line: int, why: str) -> None:
    # collect has already told of the validation rows.
    if file.name != "metrics.csv":
        warn(f"{file}, line {line}: left out: {why}")


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


def metrics(seen: Iterable[Seen], question: Question) -> list[dict[str, Any]]:
    """Name all that was measured and say which way is better, and whether that is known."""
    names = names_of(course.metrics for one in seen for course in one.courses.values())
    told = {*question.lower, *question.higher}
    return [
        {
            "name": name,
            "lower": lower_is_better(name, question.lower, question.higher),
            "known": name in told or direction(name) is not None,
        }
        for name in names
    ]


def phases(seen: Iterable[Seen]) -> list[str]:
    """Name the phases in the order in which they are spoken of."""
    usual = ["train", "val", "test"]
    found = {phase for one in seen for phase in one.courses}
    return [phase for phase in usual if phase in found] + sorted(found.difference(usual))


def _objective(seen: Sequence[Seen], question: Question) -> str:
    """Name the metric that runs are ranked by: the one asked for, one that is known, the first."""
    if question.sortwith:
        return question.deciding(question.sortwith[0]).metric
    keys = summarize((one.standing.result for one in seen), question).sorted_by
    return keys[0].column.name if keys else _first_metric(seen)


def _first_metric(seen: Iterable[Seen]) -> str:
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
    seen: Sequence[Seen], runs: Sequence[dict[str, Any]], objective: str, question: Question
) -> dict[str, str]:
    """Compare the codes of the runs, where there are several."""
    trees = {}
    for name in distinct([run["digest"] for run in runs]):
        nth = next(at for at, run in enumerate(runs) if run["digest"] == name)
        folder = seen[nth].standing.result.dir
        tree = tree_of(ExperimentDir(folder.path.parent), folder, name)
        if tree:
            trees[name] = tree
    if len(trees) < 2:
        return {}
    return diffs(trees, _best_digest(runs, objective, question))


def _best_digest(runs: Sequence[dict[str, Any]], objective: str, question: Question) -> str | None:
    sign = 1 if question.is_lower(objective) else -1
    ranked = sorted(
        (run for run in runs if isinstance(run["best"].get(objective), (int, float))),
        key=lambda run: sign * run["best"][objective],
    )
    return ranked[0]["digest"] if ranked else None
