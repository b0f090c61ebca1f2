"""The best points of earlier runs: the means over their seeds, by a search's own metric."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from runx.analysis.columns import finite
from runx.analysis.read import Reader
from runx.analysis.select import records_of, select
from runx.config.best import Best, BestPoint
from runx.config.experiment import Experiment
from runx.errors import RunxError
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.rundir.searches import Goal, read_search, search_dir
from runx.sweeps.identity import canonical
from runx.sweeps.searched import is_repeated
from runx.sweeps.values import Node
from runx.trials.spaces import measure


def best_of(
    experiment: Experiment, words: Sequence[str], count: int, overridden: Collection[str]
) -> Best:
    """Return the best points of the runs that words select, for an experiment.

    ``overridden`` are hyperparameters that the launch sets, which count as seeds.

    Raises:
        RunxError: There are fewer, or nothing says by what.
    """
    metric, goal, seeds = _aim(experiment, words)
    seeds |= {*_repeated(experiment.hparams), *overridden}
    asked = measure(metric, goal)
    records = records_of(words, experiment.logroot, Path.cwd(), Reader((asked,), lambda line: None))
    if any(record.trial for record in records):  # What was made of the best itself is none.
        records = [record for record in records if record.trial]
    points = _points(records, asked.name, seeds)
    if len(points) < count:
        raise RunxError(
            f"--best {count}: {' '.join(words)} has {len(points)} points that are done and have"
            f" {metric}; ask for as many, or wait"
        )
    ranked = sorted(points, key=lambda point: point.mean if goal == "minimize" else -point.mean)
    tried = len({record.trial or _key(_values(record, seeds)) for record in records})
    varying = _varying([point.values for point in points])
    return Best(tuple(words), metric, goal, tried, varying, tuple(ranked[:count]))


def _points(records: Iterable[RunRecord], column: str, seeds: Collection[str]) -> list[BestPoint]:
    """Return the points of the runs that are done and have a finite number in a column."""
    values: dict[str, dict[str, Any]] = {}
    measured: dict[str, list[tuple[float, str]]] = {}
    for record in records:
        number = finite(record.measured.get(column)) if record.state == "done" else None
        if number is not None:
            own = _values(record, seeds)
            values[_key(own)] = own
            measured.setdefault(_key(own), []).append((number, record.name))
    return [
        BestPoint(values[key], fmean(number for number, _ in each), tuple(run for _, run in each))
        for key, each in measured.items()
    ]


def _values(record: RunRecord, seeds: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in record.hparams.items() if name not in seeds}


def _key(values: Mapping[str, Any]) -> str:
    """Return a text that equal points share."""
    return repr(sorted((name, canonical(value)) for name, value in values.items()))


def _varying(points: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    names = dict.fromkeys(name for values in points for name in values)
    return tuple(
        name for name in names if len({repr(canonical(values.get(name))) for values in points}) > 1
    )


def _aim(experiment: Experiment, words: Sequence[str]) -> tuple[str, Goal, set[str]]:
    """Return the metric that says what is best, its goal, and what the searches repeat."""
    found = []
    for word in words:
        folder = ExperimentDir(experiment.logroot / word)
        searches = folder.path / ".runx" / "search"
        names = sorted(each.name for each in searches.iterdir()) if searches.is_dir() else []
        found += [read_search(search_dir(folder, name)) for name in names]
    seeds = {name for search in found for name in _repeated(search.hparams)}
    if experiment.search is not None:
        metrics, goals = experiment.search.metrics, experiment.search.goals
    elif found:
        metrics, goals = found[0].metrics, found[0].goals
    else:
        select(words, experiment.logroot, Path.cwd())  # raises where there is nothing of the name
        raise RunxError(
            f"--of {' '.join(words)}: no SEARCH says what is best there; add SEARCH to"
            f" {experiment.file}, with its metric and trials"
        )
    if len(metrics) > 1:
        raise RunxError(
            f"--best: of {' and '.join(metrics)} no point is the best; use sumx --pareto"
        )
    return metrics[0], goals[0], seeds


def _repeated(hparams: Node) -> set[str]:
    """Return the hyperparameters that are seeds."""
    if isinstance(hparams, list):
        return {name for each in hparams for name in _repeated(each)}
    assert isinstance(hparams, dict)
    return {name for name, node in hparams.items() if is_repeated(node)}
