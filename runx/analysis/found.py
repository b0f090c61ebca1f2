"""Runs that other tools have recorded, as RunRecords. Nothing is written where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runx.analysis.index import Index, open_index
from runx.analysis.measurements import Measurements, measurements_of
from runx.analysis.places import ToolDir
from runx.analysis.read_run import tally_found
from runx.analysis.reduce import Measure
from runx.errors import RunxError
from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.measured import Measured, Source, combined
from runx.readers.tools import dir_readers
from runx.rundir.events import Attempt, Event
from runx.rundir.paths import RunDir
from runx.rundir.run import OWN_TOOL, RunRecord
from runx.rundir.runfiles import RunFiles
from runx.rundir.state import State

MOST_FILES = 400
"""A run with more of them is read each time: to look whether one has changed takes as long."""


class Wanted(NamedTuple):
    """What is wanted of runs: measures, and the epoch of metrics, None for the last."""

    measures: tuple[Measure, ...] = ()
    at: float | None = None


def read_found(place: ToolDir, wanted: Wanted, warn: Warn) -> Iterator[RunRecord]:
    """Read the runs of other tools; what is damaged costs a warning, and itself alone."""
    index = None
    if wanted.at is None:
        index = open_index(place, len(place.runs), wanted.measures)
    try:
        for tool, folder in place.runs:
            known = index.find(RunDir(os.fspath(folder)), "") if index else None
            yield from [known] if known else _read(tool, folder, place, wanted, warn, index)
        if index:
            index.write()
    finally:
        if index:
            index.close()


def _read(
    tool: DirReader,
    folder: Path,
    place: ToolDir,
    wanted: Wanted,
    warn: Warn,
    index: Index | None,
) -> list[RunRecord]:
    """Read the runs in a folder, and add a single one of which nothing was warned to the index."""
    warnings: list[str] = []
    look = _look(folder) if index else None
    records = []
    for found in _found(tool, folder, warnings.append):
        experiment = found.experiment or _experiment(found.path, place.path)
        records.append(_record(found, tool.tool, experiment, wanted, warnings.append))
    for warning in dict.fromkeys(warnings):
        warn(warning)
    is_simple = [record.dir.path for record in records] == [folder] and not warnings
    if index and look and is_simple:
        index.add(look, records[0])
    return records


def _found(tool: DirReader, folder: Path, warn: Warn) -> list[FoundRun]:
    try:
        return list(tool.read(folder, warn))
    except (RunxError, OSError, RecursionError) as error:
        message = str(error).removeprefix(f"{folder}/")
        warn(f"{folder}: left out: {message}")
        return []


def _look(folder: Path) -> RunFiles | None:
    """Return the stamps of all that lies in a run's folder, None where that is too much."""
    look = RunFiles(os.fspath(folder))
    for path, folders, names in os.walk(folder):
        inside = os.path.relpath(path, folder)
        for name in (*folders, *names):
            look.note(os.path.normpath(f"{inside}/{name}"))
        if len(look.stamps) > MOST_FILES:
            return None
    look.note("../meta.yaml")  # MLflow keeps an experiment's name there
    return look


def _experiment(run: Path, top: Path) -> str:
    """Return what a run is part of: the path between where runs were looked for and its folder.

    >>> _experiment(Path("/x/multirun/2026-11-28/10-00-00/3"), Path("/x/multirun"))
    '2026-11-28/10-00-00'
    >>> _experiment(Path("/x/runs/owl"), Path("/x/runs"))
    'runs'
    """
    inside = os.path.relpath(run.parent, top)
    return top.name if inside in (".", "..") else inside


def _record(found: FoundRun, tool: str, experiment: str, wanted: Wanted, warn: Warn) -> RunRecord:
    measured = _measurements(found)
    return RunRecord(
        name=found.name,
        dir=RunDir(os.fspath(found.path)),
        hparams=found.hparams,
        status=State(found.state, found.reason, found.exit_code),
        experiment=experiment,
        attempts=(_attempt(found),),
        tool=tool,
        sources=measured.left.sources,
        **tally_found(measured, wanted.measures, wanted.at, warn)._asdict(),
    )


def _attempt(found: FoundRun) -> Attempt:
    events = []
    if found.started is not None:
        events.append(Event("started", found.started, {}))
    if found.ended is not None:
        events.append(Event("ended", found.ended, {"code": found.exit_code}))
    return Attempt(0, tuple(events))


def _measurements(found: FoundRun) -> Measurements:
    # A phase that no name tells is validation.
    rows = [
        row._replace(phase=row.phase or "val", file=row.file or found.source) for row in found.rows
    ]
    look = RunFiles(os.fspath(found.path))
    return Measurements(look, None, combined([Source("", rows)]))


def measurements_of_run(record: RunRecord) -> Measurements:
    """Read what a run has measured, be it of ours or of another tool, from its files again.

    What is damaged was warned of when the run was read.
    """
    if record.tool == OWN_TOOL:
        return measurements_of(record.dir)
    path = record.dir.path
    for tool in dir_readers():
        # A reader may find several runs in the folder above.
        for folder in (path, path.parent) if tool.tool == record.tool else ():
            for found in _found(tool, folder, _ignore) if tool.recognise(folder) else ():
                if found.path == path:
                    return _measurements(found)
    return Measurements(RunFiles(os.fspath(record.dir)), None, Measured())


def _ignore(_: str) -> None:
    """Drop a warning that was given before."""
