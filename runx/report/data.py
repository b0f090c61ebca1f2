"""An experiment as the page reads it: one JSON object with everything that it can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runx.disk.experiments import launches
from runx.metrics.better import direction, lower_is_better
from runx.report.codediff import diffs, distinct, tree_of
from runx.report.measured import Measured, Warn, key, labels, measured, run
from runx.report.statistics import statistics
from runx.rundir import ExperimentDir
from runx.tables.columns import names_of
from runx.tables.question import Question
from runx.tables.summary import summarize
from runx.types import RunRecord

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
