"""The best points of earlier runs: the means over their seeds, by a search's own metric."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from runx.analysis.columns import as_number
from runx.analysis.read import Reader
from runx.analysis.select import records_of
from runx.config.best import Best, BestPoint
from runx.config.experiment import Experiment
from runx.errors import RunxError
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.rundir.searches import Goal, read_search, search_dir
from runx.sweeps.identity import canonical
from runx.sweeps.values import Node
from runx.trials.spaces import measure


def best_of(
    experiment: Experiment,
    words: Sequence[str],
    count: int,
    overridden: Collection[str],
    warn: Any = lambda line: None,
) -> Best:
    """Return the best points of the runs that words select, for an experiment.

    ``overridden`` are hyperparameters that the launch sets, which count as seeds.

    Raises:
        RunxError: There are fewer, or nothing says by what.
    """
    of = " ".join(words)
    metric, goal, seeds = _aim(experiment, words)
    asked = measure(metric, goal)
    records = records_of(words, experiment.logroot, Path.cwd(), Reader((asked,), warn))
    if any(record.trial for record in records):  # What was made of the best itself is none.
        records = [record for record in records if record.trial]
    seeds |= {*_repeated(experiment.hparams), *overridden}
    values: dict[str, dict[str, Any]] = {}
    means: dict[str, list[tuple[float, str]]] = {}
    for record in records:
        number = as_number(record.measured.get(asked.name)) if record.state == "done" else None
        own = {name: each for name, each in record.hparams.items() if name not in seeds}
        key = repr(sorted((name, canonical(each)) for name, each in own.items()))
        if number is not None and number == number:
            values[key] = own
            means.setdefault(key, []).append((number, record.name))
    points = [
        BestPoint(values[key], fmean(number for number, _ in each), tuple(run for _, run in each))
        for key, each in means.items()
    ]
    if len(points) < count:
        raise RunxError(
            f"--best {count}: {of} has {len(points)} points that are done and have {metric};"
            " ask for as many, or wait"
        )
    points.sort(key=lambda point: point.mean if goal == "minimize" else -point.mean)
    tried = len({_point_of(record, seeds) for record in records})
    return Best(tuple(words), metric, goal, tried, _varying(values), tuple(points[:count]))


def _point_of(record: RunRecord, seeds: Collection[str]) -> object:
    if record.trial:
        return record.trial
    return repr(sorted((k, canonical(v)) for k, v in record.hparams.items() if k not in seeds))


def _varying(values: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    names = dict.fromkeys(name for each in values.values() for name in each)
    return tuple(
        name
        for name in names
        if len({repr(canonical(each.get(name))) for each in values.values()}) > 1
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
        records_of(words, experiment.logroot, Path.cwd(), Reader((), lambda line: None))
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
    if isinstance(hparams, list):
        return {name for each in hparams for name in _repeated(each)}
    assert isinstance(hparams, dict)
    return {
        name
        for name, node in hparams.items()
        if isinstance(node, dict) and list(node) == ["repeat"]
    }
