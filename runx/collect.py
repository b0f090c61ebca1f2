"""Run directories read back as Results. Nothing is written, and nothing damaged stops the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.experiments import places
from runx.facts import clock, facts
from runx.rundir import ExperimentDir, RunDir, read_json
from runx.state import state
from runx.tally import Measure, Tally, tally
from runx.types import Result

UNKNOWN = "unknown"
"""The state of a directory that runx did not launch: nothing says how it stands."""

Warn = Callable[[str], None]


def collect(
    experiment: ExperimentDir, measures: Iterable[Measure] = (), warn: Warn = lambda line: None
) -> Iterator[Result]:
    """Give the runs of an experiment, by name, one after another."""
    measures = tuple(measures)
    now = clock(experiment.path)
    for run in places(experiment):
        try:
            hparams = _hparams(run, warn)
            if hparams is not None:
                yield _result(experiment, run, hparams, measures, now, warn)
        except (StoreError, OSError) as error:
            warn(f"{run.path}: left out: {_without(error, run)}")


def _result(
    experiment: ExperimentDir,
    run: RunDir,
    hparams: dict[str, Any],
    measures: tuple[Measure, ...],
    now: Callable[[], float],
    warn: Warn,
) -> Result:
    found = _tally(run, measures, warn)
    return Result(
        name=run.path.name,
        dir=run,
        hparams=hparams,
        state=standing(run, now, warn),
        metrics=found.metrics,
        epoch=found.epoch,
        epoch_time=found.epoch_time,
        experiment=experiment.path.name,
        measured=found.measured,
    )


def _tally(run: RunDir, measures: tuple[Measure, ...], warn: Warn) -> Tally:
    return tally(_bytes(run.metrics), measures, partial(_damaged, warn, run.metrics))


def _damaged(warn: Warn, file: Path, line: int, reason: str) -> None:
    warn(f"{file}, line {line}: left out: {reason}")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _hparams(run: RunDir, warn: Warn) -> dict[str, Any] | None:
    """Read a run's hyperparameters; None where the directory is no run's.

    Whichever of the files is whole will do: what runx gave, and beside it what the script added.
    """
    complaints: list[str] = []
    given = _object(run.hparams, complaints)
    if given is None and (record := _versioned(run.record, complaints)) is not None:
        given = record.get("hparams")
    added = (_versioned(run.logx, complaints) or {}).get("hparams")
    if given is None and added is None and not run.metrics.is_file():
        if complaints:
            raise StoreError(complaints[0])
        return None
    for complaint in complaints:
        warn(complaint)
    return {**_mapping(added), **_mapping(given)}


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _object(file: Path, complaints: list[str]) -> dict[str, Any] | None:
    """Read hparams.json: any JSON object, whose keys are all the script's."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        complaints.append(f"{file}: can't be read: {error}")
        return None
    if not isinstance(content, dict):
        complaints.append(f"{file}: not a JSON object")
        return None
    return content


def _versioned(file: Path, complaints: list[str]) -> dict[str, Any] | None:
    if not file.exists():
        return None
    try:
        return read_json(file)
    except StoreError as error:
        complaints.append(str(error))
        return None


def standing(run: RunDir, now: Callable[[], float], warn: Warn) -> str:
    """Say how a run stands, in one word."""
    found = facts(run, now, warn)
    if not found.attempts and not run.record.exists():
        return UNKNOWN
    return state(found).name


def _without(error: Exception, run: RunDir) -> str:
    """Tell an error without the path that the warning begins with."""
    return str(error).removeprefix(f"{run.path}/")
