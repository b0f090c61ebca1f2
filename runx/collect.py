"""Run directories read back as Results. Nothing is written, and nothing damaged stops the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from runx.details import detailed
from runx.errors import StoreError
from runx.eventfiles import as_rows, event_files
from runx.experiments import places
from runx.facts import clock, facts
from runx.rundir import ExperimentDir, RunDir, read_json
from runx.standing import UNKNOWN, Reader, Standing
from runx.state import State, state
from runx.tally import Tally, tally
from runx.types import Result

Warn = Callable[[str], None]


def collect(experiment: ExperimentDir, reader: Reader) -> Iterator[Result]:
    """Give the runs of an experiment, by name, one after another."""
    return (standing.result for standing in standings(experiment, reader))


def standings(experiment: ExperimentDir, reader: Reader) -> Iterator[Standing]:
    """Give the runs of an experiment with how each stands, by name, one after another."""
    return read(places(experiment), experiment.path.name, reader)


def read(runs: Iterable[RunDir], experiment: str, reader: Reader) -> Iterator[Standing]:
    """Read the directories that are runs'; what is damaged costs a warning."""
    now: Callable[[], float] | None = None
    for run in runs:
        now = now or clock(run.path.parent)
        try:
            hparams = _hparams(run, reader.warn)
            if hparams is not None:
                yield _standing(run, experiment, hparams, now, reader)
        except (StoreError, OSError) as error:
            reader.warn(f"{run.path}: left out: {_without(error, run)}")


def _standing(
    run: RunDir,
    experiment: str,
    hparams: dict[str, Any],
    now: Callable[[], float],
    reader: Reader,
) -> Standing:
    known = facts(run, now, reader.warn, reader.words)
    stands = State(UNKNOWN) if not known.attempts and not run.record.exists() else state(known)
    found = _tally(run, reader)
    result = Result(
        name=run.path.name,
        dir=run,
        hparams=hparams,
        state=stands.name,
        metrics=found.metrics,
        epoch=found.epoch,
        epoch_time=found.epoch_time,
        experiment=experiment,
        measured=found.measured,
    )
    standing = Standing(result, stands, known)
    if not reader.details:
        return standing
    details = {
        name: found
        for name, found in detailed(standing, reader.details, now(), reader.warn)
        if found is not None
    }
    return standing._replace(result=replace(result, details=details))


def _tally(run: RunDir, reader: Reader) -> Tally:
    """Sum up a run's metrics, those of other phases only where they are asked for."""
    damaged = partial(_damaged, reader.warn, run.metrics)
    content = _bytes(run.metrics)
    silent = content is None
    if content is None:
        content = as_rows(run.path, "val", reader.warn)
    own = [wanted for wanted in reader.measures if wanted.phase == "val"]
    found = tally(content, own, damaged, at=reader.at)
    for phase in {wanted.phase for wanted in reader.measures} - {"val"}:
        wanted = [one for one in reader.measures if one.phase == phase]
        if phase == "train":
            damaged = partial(_damaged, reader.warn, run.train_metrics)
            content = _bytes(run.train_metrics) or b""
        if silent:
            content = as_rows(run.path, phase, reader.warn)
        found.measured.update(tally(content, wanted, damaged, phase).measured)
    return found


def _damaged(warn: Warn, file: Path, line: int, reason: str) -> None:
    warn(f"{file}, line {line}: left out: {reason}")


def _bytes(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _hparams(run: RunDir, warn: Warn) -> dict[str, Any] | None:
    """Read a run's hyperparameters; None where the directory is no run's.

    Whichever of the files is whole will do: what runx gave, and beside it what the script added.
    """
    complaints: list[str] = []
    given = _object(run.hparams, complaints)
    if given is None and (record := _versioned(run.record, complaints)) is not None:
        given = record.get("hparams")
    added = (_versioned(run.logx, complaints) or {}).get("hparams")
    missing = given is None and added is None
    if missing and not run.metrics.is_file() and not event_files(run.path):
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


def _without(error: Exception, run: RunDir) -> str:
    """Tell an error without the path that the warning begins with."""
    return str(error).removeprefix(f"{run.path}/")
