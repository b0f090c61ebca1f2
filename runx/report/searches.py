"""How searches go, as a page shows it: their points as they ended, the best so far, the rungs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runx.analysis.failures import Causes
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.rundir.rungs import rungs
from runx.rundir.searches import search_dir
from runx.trials.outlook import TOLD, Outlook, PointOutlook, shown
from runx.trials.outlooks import outlooks


def searches(
    records: Sequence[RunRecord],
    keys: Mapping[Path, str],
    warn: Callable[[str], None],
    causes: Causes | None = None,
) -> list[dict[str, Any]]:
    """Return an object for each search that runs are of; ``keys`` are the runs' names.

    ``causes`` are those of failed runs that are known from an earlier look.
    """
    if not any(record.trial for record in records):
        return []
    return [search_object(each, keys) for each in outlooks(records, warn, causes)]


def search_object(outlook: Outlook, keys: Mapping[Path, str]) -> dict[str, Any]:
    """Return what a page shows of a search."""
    search = outlook.search
    runs = [run for point in outlook.points for run in point.runs]
    folder = search_dir(ExperimentDir(runs[0].dir.path.parent), search.name)
    return {
        "id": keys[runs[0].dir.path].removesuffix(runs[0].name) + search.name,
        "metrics": search.metrics,
        "sampler": search.sampler,
        "said": [line.strip() for line in outlook.lines()],
        "points": [
            {
                "number": point.number,
                "state": point.state,
                "values": shown(point.values),
                "metrics": point.metrics,
                "sampler": point.sampler,
                "known": point.known,
                "runs": [keys[run.dir.path] for run in point.runs],
            }
            for point in outlook.points
        ],
        "best": [point.number for point in outlook.best],
        "ended": course(outlook),
        "rungs": rungs_of(rungs(folder), runs),
    }


def course(outlook: Outlook) -> list[tuple[int, float | None]]:
    """Return the points that the sampler is told of as they ended, each with the best by then.

    That goes by the first metric, over those that are done.
    """
    ended = [point for point in outlook.points if point.state in TOLD]
    ended.sort(key=lambda point: (point.ended or 0.0, point.number))
    best: PointOutlook | None = None
    found: list[tuple[int, float | None]] = []
    for point in ended:
        if point.state == "done" and (
            best is None or outlook.losses(point)[0] < outlook.losses(best)[0]
        ):
            best = point
        found.append((point.number, best.metrics[0] if best else None))
    return found


def rungs_of(
    entries: Mapping[int, Mapping[str, float]], runs: Iterable[RunRecord]
) -> list[dict[str, int]]:
    """Return for each rung how many runs came to it, and how many of these were stopped there.

    A run that was stopped early entered no other rung after.
    """
    last = {run: epoch for epoch in sorted(entries) for run in entries[epoch]}
    stopped = Counter(last.get(run.name) for run in runs if run.state == "pruned")
    return [
        {"epoch": epoch, "entered": len(entries[epoch]), "stopped": stopped[epoch]}
        for epoch in sorted(entries)
    ]
