"""Runs that other tools have recorded, as RunRecords. Nothing is written where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runx.analysis.index import Index, open_index
from runx.analysis.places import ToolDir
from runx.analysis.reduce import tally
from runx.errors import RunxError
from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.measured import Measured
from runx.readers.registry import dir_readers
from runx.rundir.events import Attempt, Event
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles
from runx.rundir.state import State

if TYPE_CHECKING:
    from runx.analysis.read import Reader

MOST_FILES = 400
"""A run with more of them is read each time: to look whether one has changed takes as long."""


def read_found(place: ToolDir, reader: Reader) -> Iterator[RunRecord]:
    """Read the runs of other tools; what is damaged costs a warning, and itself alone."""
    index = None
    if reader.at is None:
        index = open_index(place, len(place.runs), reader.measures)
    try:
        for tool, folder in place.runs:
            known = index.find(RunDir(os.fspath(folder)), "") if index else None
            yield from [known] if known else _read(tool, folder, place, reader, index)
        if index:
            index.write()
    finally:
        if index:
            index.close()


def _read(
    tool: DirReader, folder: Path, place: ToolDir, reader: Reader, index: Index | None
) -> list[RunRecord]:
    """Read the runs in a folder, and add a single one of which nothing was warned to the index."""
    warnings: list[str] = []
    look = _look(folder) if index else None
    records = []
    for found in _found(tool, folder, warnings.append):
        experiment = found.experiment or _experiment(found.path, place.path)
        records.append(_record(found, tool.tool, experiment, reader))
    for warning in dict.fromkeys(warnings):
        reader.warn(warning)
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


def _record(found: FoundRun, tool: str, experiment: str, reader: Reader) -> RunRecord:
    measured = _measured(found)
    tallies = []
    for phase in dict.fromkeys(("val", *(measure.phase for measure in reader.measures))):
        of_phase = [measure for measure in reader.measures if measure.phase == phase]
        at = reader.at if phase == "val" else None
        tallies.append(tally(measured.content(phase), of_phase, None, phase, at))
    for other in tallies[1:]:
        tallies[0].measured.update(other.measured)
    return RunRecord(
        name=found.name,
        dir=RunDir(os.fspath(found.path)),
        hparams=found.hparams,
        status=State(found.state, found.reason, found.exit_code),
        experiment=experiment,
        attempts=(_attempt(found),),
        tool=tool,
        **tallies[0]._asdict(),
    )


def _attempt(found: FoundRun) -> Attempt:
    events = []
    if found.started is not None:
        events.append(Event("started", found.started, {}))
    if found.ended is not None:
        events.append(Event("ended", found.ended, {"code": found.exit_code}))
    return Attempt(0, tuple(events))


def _measured(found: FoundRun) -> Measured:
    # A phase that no name tells is validation.
    return Measured([row if row.phase else row._replace(phase="val") for row in found.rows])


def measured_by_tool(record: RunRecord, warn: Warn) -> Measured:
    """Return what a run of another tool has measured, read from its folder again."""
    for tool in dir_readers():
        if tool.tool == record.tool:
            folders = [record.dir.path, record.dir.path.parent]
            for folder in folders:
                for found in _found(tool, folder, warn) if tool.recognise(folder) else ():
                    if found.path == record.dir.path:
                        return _measured(found)
    return Measured()
