"""Run directories read back as Results. Nothing is written, and nothing damaged stops the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runx.attempts import Facts
from runx.errors import StoreError
from runx.experiments import places
from runx.facts import UNASKED, Words, clock, facts
from runx.rundir import ExperimentDir, RunDir, read_json
from runx.state import State, state
from runx.tally import Measure, tally
from runx.types import Result

UNKNOWN = "unknown"
"""The state of a directory that runx did not launch: nothing says how it stands."""

Warn = Callable[[str], None]


class Standing(NamedTuple):
    """A run as it is read back, and how it stands in full."""

    result: Result
    state: State
    facts: Facts


class Reader(NamedTuple):
    """How runs are read: what is measured, whom to warn, what schedulers have said."""

    measures: tuple[Measure, ...] = ()
    warn: Warn = print
    words: Words = UNASKED


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
    content, damaged = _bytes(run.metrics), partial(_damaged, reader.warn, run.metrics)
    found = tally(content, reader.measures, damaged)
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
    return Standing(result, stands, known)


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


def _without(error: Exception, run: RunDir) -> str:
    """Tell an error without the path that the warning begins with."""
    return str(error).removeprefix(f"{run.path}/")
