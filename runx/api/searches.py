"""What searches say of the tables of their runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runx.analysis.question import Question, TableOptions
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import read_or_empty
from runx.rundir.searches import Goal, search_dir


def as_searched(options: TableOptions, dirs: Iterable[ExperimentDir]) -> TableOptions:
    """Return options that sort by what searches go by, unless they say otherwise.

    Of several searches of an experiment the one that was launched last counts.
    """
    metrics: dict[str, Goal] = {}
    for experiment in dirs:
        folder = search_dir(experiment, "").path
        if not folder.is_dir():
            continue
        records = [record for each in folder.iterdir() if (record := each / "search.json").exists()]
        if records:
            latest = max(records, key=lambda record: record.stat().st_mtime)
            content = read_or_empty(latest, lambda line: None)
            metrics |= zip(content.get("metrics", ()), content.get("goals", ()), strict=False)
    named = {Question().sort_measure(name).metric: goal for name, goal in metrics.items()}
    said = {*options.lower, *options.higher}
    lower = [name for name, goal in named.items() if goal == "minimize" and name not in said]
    higher = [name for name, goal in named.items() if goal == "maximize" and name not in said]
    return replace(
        options,
        preferred=tuple(metrics),
        lower=(*options.lower, *lower),
        higher=(*options.higher, *higher),
    )
