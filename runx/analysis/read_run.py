"""One run's directory read back as a RunRecord. Nothing is written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from runx.analysis.columns import names_with_steps
from runx.analysis.decode import starts_in
from runx.analysis.index import Index
from runx.analysis.measurements import Measurements, measurements
from runx.analysis.reduce import Measure, Tally, joined, tally
from runx.analysis.step_records import read_steps, state_of
from runx.errors import StoreError
from runx.readers import hparams_yaml
from runx.readers.asked import Asked
from runx.readers.content import object_or_empty
from runx.rundir.attempts import read_attempts
from runx.rundir.experiments import has_own_metrics
from runx.rundir.files import parsed_json
from runx.rundir.paths import ATTEMPTS, HPARAMS, LOGX, METRICS, RECORD, RunDir, metrics_of
from runx.rundir.record import dotted, labels_of, trial_in
from runx.rundir.records import Record, text_of
from runx.rundir.run import RunRecord
from runx.rundir.runfiles import RunFiles
from runx.rundir.state import UNKNOWN, State, state
from runx.rundir.tensorboard import event_files

_CODE = re.compile(rb'"code": "([^"\\]+)"')
Warn = Callable[[str], None]
Reading: TypeAlias = tuple["RunRecord | None", list[str]]
"""The record of a directory, None where it is no run's; and warnings of what is damaged there."""


def read_run(
    run: RunDir,
    experiment: str,
    now: Callable[[], float],
    measures: Sequence[Measure] = (),
    at: float | None = None,
    index: Index | None = None,
    asked: Sequence[Asked] = (),
) -> Reading:
    """Read one directory, and add it to the index; damaged files become warnings.

    ``now`` is the time by the clock of the run's file system. ``at`` is the epoch that metrics are
    taken from, None the last. ``asked`` is what METRICS names.
    """
    warnings: list[str] = []
    look = RunFiles(os.fspath(run))
    try:
        record = _read(run, experiment, now, measures, at, asked, look, warnings.append)
    except (StoreError, OSError, RecursionError) as error:
        # The warning begins with the path.
        message = str(error).removeprefix(f"{look.path}/")
        return None, [*warnings, f"{look.path}: left out: {message}"]
    # What is warned of is to be warned of the next time, too.
    if record is not None and index and not warnings:
        index.add(look, record)
    # Phases that share a file find the same rows damaged.
    return record, list(dict.fromkeys(warnings))


def _read(
    run: RunDir,
    experiment: str,
    now: Callable[[], float],
    measures: Sequence[Measure],
    at: float | None,
    asked: Sequence[Asked],
    look: RunFiles,
    warn: Warn,
) -> RunRecord | None:
    # First, since it joins what a job wrote elsewhere, which may be hyperparameters too.
    attempts = read_attempts(run, now, warn, look)
    hparams = _hparams(look, warn)
    if hparams is None:
        return None
    content = look.content(RECORD)
    if HPARAMS in look.stamps:
        look.drop(RECORD)  # It was written once; what runs and people change is beside it.
    recorded = _recorded(content, look, warn) if content else {}
    resources, ablation = recorded.get("resources"), recorded.get("ablation")
    status = state(attempts) if attempts or content is not None else State(UNKNOWN)
    steps = read_steps(run, recorded, now, warn, look) if "steps" in recorded else ()
    step = ""
    if steps:
        status, step, attempts = state_of(steps)
    own = [each.name for each in steps if each.is_own]
    found = measurements(look, asked, warn, status.name != "planned", own)
    return RunRecord(
        name=look.path.rpartition("/")[2],
        dir=run,
        hparams=_with_lightnings(hparams, found, warn) if found.left.sources else hparams,
        status=status,
        experiment=experiment,
        resources=resources if isinstance(resources, dict) else {},
        attempts=attempts,
        code=_code(recorded, [attempt.number for attempt in attempts], look),
        tag=str(recorded.get("tag") or ""),
        labels=labels_of(recorded),
        ablation=ablation if isinstance(ablation, dict) else {},
        sources=found.left.sources,
        steps=steps,
        step=step,
        trial=trial_in(recorded),
        **tally_found(found, measures, at, warn)._asdict(),
    )


def _code(recorded: Mapping[str, Any], attempts: Sequence[int], look: RunFiles) -> str:
    """Return the digest of a run's code: that of the last claim that has one, or its record's."""
    for number in reversed(attempts):
        # A claim is not parsed for this alone; what a user has named comes before it there.
        claim = look.content(f"{ATTEMPTS}/{number}.claim") if number > 1 else None
        if found := _CODE.findall(claim or b""):
            return str(found[-1].decode())
    return str(recorded.get("code") or "")


def _hparams(look: RunFiles, warn: Warn) -> dict[str, Any] | None:
    """Return a run's hyperparameters; None where the directory is no run's.

    Any of the files that is whole will do: what runx wrote, and beside it what the script added.
    """
    complaints: list[str] = []
    given = _object(look, HPARAMS, complaints)
    if given is None and (record := _object(look, RECORD, complaints)) is not None:
        given = record.get("hparams")
    added = (_object(look, LOGX, complaints) or {}).get("hparams")
    has_any = given is not None or added is not None
    if not has_any and not has_own_metrics(look.path) and not event_files(look.path):
        if complaints:
            raise StoreError(complaints[0])
        return None
    for complaint in complaints:
        warn(complaint)
    merged: dict[str, Any] = {}
    for hparams in (added, given):
        merged.update(dotted(hparams) if isinstance(hparams, dict) else {})
    return merged


def _object(look: RunFiles, name: str, complaints: list[str]) -> dict[str, Any] | None:
    """Read a JSON object; the keys of hparams.json are all the script's, "version" too."""
    try:
        text = look.content(name)
        if text is None:
            return None
        content = (
            json.loads(text.decode("utf-8", "surrogateescape"))
            if name == HPARAMS
            else parsed_json(text, f"{look.path}/{name}")
        )
    except StoreError as error:
        complaints.append(str(error))
        return None
    except (ValueError, RecursionError, OSError) as error:
        complaints.append(f"{look.path}/{name}: can't be read: {error}")
        return None
    if content is not None and not isinstance(content, dict):
        complaints.append(f"{look.path}/{name}: not a JSON object")
        return None
    return content


def _with_lightnings(hparams: dict[str, Any], found: Measurements, warn: Warn) -> Mapping[str, Any]:
    """Return hyperparameters with those that Lightning keeps beside the metrics of a run."""
    folders = dict.fromkeys(os.path.dirname(file) for file in found.left.sources.values())
    for folder in folders:
        name = f"{folder}/{hparams_yaml.HPARAMS}".removeprefix("/")
        if os.path.isfile(f"{found.look.path}/{name}"):
            found.look.note(name)
            more = dotted(object_or_empty(f"{found.look.path}/{name}", warn))
            hparams = hparams_yaml.with_found(hparams, more)
    return hparams


def tally_found(
    found: Measurements, measures: Sequence[Measure], at: float | None, warn: Warn
) -> Tally:
    """Reduce what a run has measured, other phases only where a measure needs them.

    What logx wrote counts before what was found elsewhere.
    """
    names_of = names_with_steps(found.left.sources) if found.left.sources else {}
    measures = [each._replace(metric=names_of.get(each.metric, each.metric)) for each in measures]
    none, total = Tally({}, None, None, {}), None
    starts: list[Record] | None = None
    for phase in dict.fromkeys(("val", *(measure.phase for measure in measures))):
        name = metrics_of(phase)
        of_phase = [measure for measure in measures if measure.phase == phase]
        damaged = partial(_warn_of_row, warn, f"{found.look.path}/{name}")
        epoch = at if phase == "val" else None
        if name != METRICS and starts is None:
            starts = starts_in(text_of(found.own or b""))
        for content, names in found.contents(phase):
            each = tally(content, of_phase, damaged, phase, epoch, starts or (), names)
            each = each if phase == "val" else none._replace(measured=each.measured)
            total = joined(total, each) if total else each
    total = total or none
    # train.acc may be of a step that is called train.
    of_steps = [
        each._replace(metric=names_of[name], phase="val")
        for each in measures
        if (name := f"{each.phase}.{each.metric}") in names_of and each.name not in total.measured
    ]
    more = tally_found(found, of_steps, at, warn).measured if of_steps else {}
    return total._replace(measured={**more, **total.measured})


def _warn_of_row(warn: Warn, path: str, line: int, reason: str) -> None:
    warn(f"{path}, line {line}: left out: {reason}")


def _recorded(record: bytes, look: RunFiles, warn: Warn) -> dict[str, Any]:
    """Return the content of run.json, which its hyperparameters don't come from."""
    try:
        return parsed_json(record, f"{look.path}/{RECORD}")
    except StoreError as error:
        if b'"resources": {' in record:  # Of the rest nothing is missed in a table.
            warn(str(error))
        return {}
