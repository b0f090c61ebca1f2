"""The model of a page: one JSON object with everything that the page can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.better import direction, lower_is_better
from runx.analysis.codes import alike, code_note, marked
from runx.analysis.columns import names_of
from runx.analysis.found import measurements_of_run
from runx.analysis.gpus import gpu_lines, gpu_use
from runx.analysis.question import Question
from runx.analysis.runjson import attempt_as_json, json_safe, run_as_json, state_as_json
from runx.analysis.table import runs_table
from runx.report.codediff import code_diffs, code_tree
from runx.report.curves import Course, courses_of, encoded, thinned, validation
from runx.report.details import details
from runx.report.searches import searches
from runx.report.statistics import statistics
from runx.report.stepgraph import step_details, step_graph
from runx.rundir.experiments import launches
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord
from runx.sweeps.hparam_types import described

Warn = Callable[[str], None]

VERSION = 1

MOST_NAMED = 4
"""Experiments that a page is called after; of more it has the number."""


class RunCourses(NamedTuple):
    """A run and what it has measured, by phase."""

    record: RunRecord
    courses: dict[str, Course]


def model(
    experiments: Sequence[ExperimentDir],
    records: Sequence[RunRecord],
    question: Question,
    now: float,
    warn: Warn,
) -> dict[str, Any]:
    """Return the model of a page that shows runs of some experiments."""
    records = alike(records)
    measured = [read_run_courses(record, warn) for record in marked(records)]
    prefixes = name_prefixes(experiments)
    runs = [run_object(run, run_key(run.record, prefixes), question, now, warn) for run in measured]
    keys, bests = [run["key"] for run in runs], [_numbers(run["best"]) for run in runs]
    folders = [record.dir.path for record in records]
    objective = _objective(measured, question)
    return {
        "version": VERSION,
        "experiment": title(experiments),
        "experiments": [experiment_object(experiment, warn) for experiment in experiments],
        "made": now,
        "said": [*notes(experiments, warn), *_on_code(records)],
        "help": meanings(experiments, warn),
        **statistics(records, keys, bests, question),
        "graph": step_graph(records, warn),
        "searches": searches(records, dict(zip(folders, keys, strict=True)), warn),
        "gpus": [*gpu_lines(records, now)],
        "metrics": metric_objects(metric_names(measured), question),
        "phases": phases(measured),
        "objective": objective,
        "runs": runs,
        "diffs": _code_diffs(records, runs, objective, question),
    }


def title(experiments: Sequence[ExperimentDir]) -> str:
    """Return the title of a page: the names of its experiments, the number of many.

    >>> title([ExperimentDir(Path("/a/sweep"))]), title([ExperimentDir(Path("/a/sweep"))] * 5)
    ('sweep', '5 experiments')
    """
    names = [experiment.path.name for experiment in experiments]
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} experiments"


def experiment_object(experiment: ExperimentDir, warn: Warn) -> dict[str, Any]:
    """Return what a page of several experiments lists of one: its launches and labels."""
    made = launches(experiment, warn)
    return {
        "name": experiment.path.name,
        "path": str(experiment.path.absolute()),
        "labels": [*dict.fromkeys(label for launch in made for label in launch.labels)],
        "launches": [
            {
                # 2026-11-29T07.31.11Z-69296f
                "when": launch.name[:20].replace(".", ":"),
                "title": launch.title,
                "note": launch.note,
            }
            for launch in made
        ],
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return values as numbers, which strict JSON has as text where they are infinite."""
    return {name: float(value) for name, value in values.items()}


def read_run_courses(record: RunRecord, warn: Warn) -> RunCourses:
    """Read what a run has measured; damaged rows are warned of and left out."""
    found, damaged = measurements_of_run(record), partial(_warn_of_row, warn)
    return RunCourses(record, courses_of(found, damaged))


def _warn_of_row(warn: Warn, file: Path, line: int, why: str) -> None:
    # Rows of metrics.csv were warned of when the run was read for the table.
    if file.name != "metrics.csv":
        warn(f"{file}, line {line}: left out: {why}")


def name_prefixes(experiments: Sequence[ExperimentDir]) -> dict[Path, str]:
    """Return for each experiment what the names of its runs begin with on a page of several.

    >>> name_prefixes([ExperimentDir(Path("/a/sweep")), ExperimentDir(Path("/b/lr"))])
    {PosixPath('/a/sweep'): 'sweep/', PosixPath('/b/lr'): 'lr/'}
    """
    if len(experiments) < 2:
        return {}
    folders = [experiment.path for experiment in experiments]
    names = [folder.name for folder in folders]
    return {
        folder: f"{folder.name if names.count(folder.name) == 1 else folder}/" for folder in folders
    }


def run_key(record: RunRecord, prefixes: Mapping[Path, str]) -> str:
    """Return the name of a run that no other run of the page has."""
    return prefixes.get(record.dir.path.parent, "") + record.name


def run_object(
    run: RunCourses, key: str, question: Question, now: float, warn: Warn
) -> dict[str, Any]:
    """Return everything that the page shows of a run."""
    record = run.record
    return {
        **run_as_json(record, now),
        **state_object(record, now),
        **details(record, warn),
        **({"step_details": step_details(record)} if record.steps else {}),
        "key": key,
        "best": json_safe(best_values(run.courses.get(validation(run.courses)), question)),
        "courses": {phase: encoded(thinned(course)) for phase, course in run.courses.items()},
    }


def state_object(record: RunRecord, now: float) -> dict[str, Any]:
    """Return a run's state and attempts: what may change while the page is open."""
    attempts = [attempt_as_json(attempt) for attempt in record.attempts]
    use = gpu_use(record, now)
    return {
        **state_as_json(record, now),
        **({"gpu_hours": use.hours, "gpu_idle": use.idle} if use else {}),
        **({"step": record.step} if record.steps else {}),
        "attempts": attempts,
    }


def best_values(course: Course | None, question: Question) -> dict[str, float]:
    """Return the best value of each metric that has one other than NaN.

    >>> best_values(Course([0, 1], [0.0, 1.0], {"acc": [8.0, 9.0], "loss": [0.2, 0.3]}), Question())
    {'acc': 9.0, 'loss': 0.2}
    """
    bests = {}
    for name, values in (course.metrics if course else {}).items():
        numbers = [value for value in values if not math.isnan(value)]
        if numbers:
            bests[name] = min(numbers) if question.is_lower(name) else max(numbers)
    return bests


def notes(experiments: Iterable[ExperimentDir], warn: Warn) -> list[dict[str, str]]:
    """Return the titles and notes of the launches, each text of an experiment once."""
    texts = [
        {"experiment": experiment.path.name, "when": launch.name[:10], "text": text}
        for experiment in experiments
        for launch in launches(experiment, warn)
        for text in (launch.title, launch.note)
        if text
    ]
    return list({(note["experiment"], note["text"]): note for note in texts}.values())


def meanings(experiments: Iterable[ExperimentDir], warn: Warn) -> dict[str, str]:
    """Return what HPARAMS_TYPES said of hyperparameters, the latest launch's words."""
    types = {
        name: said
        for experiment in experiments
        for launch in launches(experiment, warn)
        for name, said in launch.types.items()
    }
    return {name: described(said) for name, said in types.items()}


def _on_code(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    note = code_note(records)
    return [{"experiment": "", "when": "", "text": note}] if note else []


def metric_names(runs: Iterable[RunCourses]) -> list[str]:
    """Return the names of all metrics of some runs."""
    return names_of(course.metrics for run in runs for course in run.courses.values())


def metric_objects(names: Iterable[str], question: Question) -> list[dict[str, Any]]:
    """Return for each metric whether less is better, and whether that is known or a guess.

    Those that the question ignores are left out.
    """
    chosen = {*question.lower, *question.higher}
    return [
        {
            "name": name,
            "lower": lower_is_better(name, question.lower, question.higher),
            "known": name in chosen or direction(name) is not None,
        }
        for name in names
        if name not in question.ignore
    ]


def phases(runs: Iterable[RunCourses]) -> list[str]:
    """Return the phases of some runs: train, val and test first, others by name."""
    usual = ["train", "val", "test"]
    names = {phase for run in runs for phase in run.courses}
    return [phase for phase in usual if phase in names] + sorted(names.difference(usual))


def _objective(runs: Sequence[RunCourses], question: Question) -> str:
    """Return the metric that runs are ranked by: that of the question, the table's, or any."""
    names = metric_names(runs)
    if question.sortwith:
        return question.sort_measure(question.sortwith[0]).metric
    for measure in question.sort_measures:
        if measure.metric in names:
            return measure.metric
    keys = runs_table((run.record for run in runs), question).sorted_by
    return keys[0].column.name if keys else next(iter(names), "")


def _code_diffs(
    records: Sequence[RunRecord],
    runs: Sequence[dict[str, Any]],
    objective: str,
    question: Question,
) -> dict[str, str]:
    """Return the differences between the codes of the runs, where there are several."""
    folders: dict[str, RunDir] = {}
    for record, run in zip(records, runs, strict=True):
        if run["code_digest"]:
            folders.setdefault(run["code_digest"], record.dir)
    trees = {}
    for digest, folder in folders.items():
        tree = code_tree(ExperimentDir(folder.path.parent), folder, digest)
        if tree:
            trees[digest] = tree
    if len(trees) < 2:
        return {}
    return code_diffs(trees, _best_digest(runs, objective, question))


def _best_digest(runs: Sequence[dict[str, Any]], objective: str, question: Question) -> str | None:
    ranked = [run for run in runs if isinstance(run["best"].get(objective), (int, float))]
    choose = min if question.is_lower(objective) else max
    best = choose(ranked, key=lambda run: run["best"][objective], default=None)
    return best["code_digest"] if best else None
