"""One run's directory looked at: what it is, how it stands and what it has measured."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from runx.disk.eventfiles import as_rows, event_files
from runx.disk.facts import facts
from runx.disk.look import Look
from runx.errors import StoreError
from runx.files import parsed_json
from runx.metrics.tally import Measure, Tally, tally
from runx.reading.index import Index
from runx.reading.standing import Reader, Standing
from runx.rundir import HPARAMS, LOGX, METRICS, RECORD, RunDir, metrics_of
from runx.states.state import UNKNOWN, State, state
from runx.types import Result

Warn = Callable[[str], None]


def standing(
    run: RunDir, experiment: str, now: Callable[[], float], reader: Reader, index: Index | None
) -> Standing | None:
    """Read a run; None where the directory is no run's."""
    look = Look(os.fspath(run))
    reader = reader._replace(warn=_marking(look, reader.warn))
    # First, since it joins what a job wrote elsewhere, which may be hyperparameters too.
    known = facts(run, now, reader.warn, reader.words, look)
    hparams = _hparams(look, reader.warn)
    if hparams is None:
        return None
    record = look.content(RECORD)
    if HPARAMS in look.stamps:
        look.final(RECORD)  # It was written once; what runs and people change is beside it.
    stands = state(known) if known.attempts or record is not None else State(UNKNOWN)
    found = _tally(look, reader)
    result = Result(
        name=os.path.basename(look.path),
        dir=run,
        hparams=hparams,
        state=stands.name,
        metrics=found.metrics,
        epoch=found.epoch,
        epoch_time=found.epoch_time,
        experiment=experiment,
        measured=found.measured,
        resources=_resources(record or b"", f"{look.path}/{RECORD}", reader.warn),
    )
    one = Standing(result, stands, known)
    if index:
        index.keep(look, one)
    return one


def _resources(record: bytes, path: str, warn: Warn) -> dict[str, Any]:
    """Give what a run has asked of its farm; most runs, which are here, ask for nothing."""
    if b'"resources": {' not in record or b'"resources": {}' in record:
        return {}
    try:
        return _mapping(parsed_json(record, path).get("resources"))
    except StoreError as error:
        warn(str(error))
        return {}


def _marking(look: Look, warn: Warn) -> Warn:
    """Warn, and mark that this is to be told at the next look too."""

    def told(line: str) -> None:
        look.passing = True
        warn(line)

    return told


def _tally(look: Look, reader: Reader) -> Tally:
    """Sum up a run's metrics, those of other phases only where they are asked for."""
    content = look.content(METRICS)
    is_silent = content is None
    own = [wanted for wanted in reader.measures if wanted.phase == "val"]
    found = _tallied(look, "val", content, own, reader)
    for phase in {wanted.phase for wanted in reader.measures} - {"val"}:
        wanted = [one for one in reader.measures if one.phase == phase]
        if not is_silent and metrics_of(phase) != METRICS:
            content = look.content(metrics_of(phase)) or b""
        found.measured.update(_tallied(look, phase, content, wanted, reader).measured)
    return found


def _tallied(
    look: Look, phase: str, content: bytes | None, wanted: Sequence[Measure], reader: Reader
) -> Tally:
    """Sum up the rows of one phase; where there is no file, what TensorBoard's have."""

    def damaged(line: int, reason: str) -> None:
        reader.warn(f"{look.path}/{metrics_of(phase)}, line {line}: left out: {reason}")

    if content is None:
        for file in event_files(look.path):
            look.note(file.name)
        content = as_rows(look.path, phase, reader.warn)
    at = reader.at if phase == "val" else None
    return tally(content, wanted, damaged, phase, at)


def _hparams(look: Look, warn: Warn) -> dict[str, Any] | None:
    """Read a run's hyperparameters; None where the directory is no run's.

    Whichever of the files is whole will do: what runx gave, and beside it what the script added.
    """
    complaints: list[str] = []
    given = _object(look, complaints)
    if given is None and (record := _versioned(look, RECORD, complaints)) is not None:
        given = record.get("hparams")
    added = (_versioned(look, LOGX, complaints) or {}).get("hparams")
    if given is None and added is None and not _has_metrics(look.path):
        if complaints:
            raise StoreError(complaints[0])
        return None
    for complaint in complaints:
        warn(complaint)
    return {**_mapping(added), **_mapping(given)}


def _has_metrics(folder: str) -> bool:
    return os.path.isfile(f"{folder}/{METRICS}") or bool(event_files(folder))


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _object(look: Look, complaints: list[str]) -> dict[str, Any] | None:
    """Read hparams.json: any JSON object, whose keys are all the script's."""
    try:
        text = look.content(HPARAMS)
        content = None if text is None else json.loads(text)
    except (ValueError, OSError) as error:
        complaints.append(f"{look.path}/{HPARAMS}: can't be read: {error}")
        return None
    if content is not None and not isinstance(content, dict):
        complaints.append(f"{look.path}/{HPARAMS}: not a JSON object")
        return None
    return content


def _versioned(look: Look, name: str, complaints: list[str]) -> dict[str, Any] | None:
    try:
        text = look.content(name)
        return None if text is None else parsed_json(text, f"{look.path}/{name}")
    except StoreError as error:
        complaints.append(str(error))
    except OSError as error:
        complaints.append(f"{look.path}/{name}: can't be read: {error}")
    return None
