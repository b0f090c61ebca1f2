"""Run directories read back as RunRecords. Nothing is written, nothing damaged stops the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from runx.analysis.ask import asked
from runx.analysis.index import MANY, Entries, Index, opened
from runx.analysis.reduce import Measure, Tally, tally
from runx.errors import StoreError
from runx.readers.tensorboard import as_rows
from runx.rundir.attempts import clock, read_attempts
from runx.rundir.experiments import places
from runx.rundir.files import parsed_json
from runx.rundir.look import Look
from runx.rundir.paths import HPARAMS, LOGX, METRICS, RECORD, ExperimentDir, RunDir, metrics_of
from runx.rundir.record import launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.state import UNKNOWN, State, state
from runx.rundir.tensorboard import event_files

WORTH_A_FORK = 400
"""So many runs take longer to read than a fork to start, and to send them back."""


_RECORDED = ("id", "tag", "created", "launch")


_LAUNCHED = ("note", "git")


Warn = Callable[[str], None]


Reading: TypeAlias = tuple["RunRecord | None", list[str]]
"""What a directory holds, None where it is no run's; and what is wrong there."""


class Reader(NamedTuple):
    """How runs are read: what of them, and whom to warn.

    ``at`` is the epoch that metrics are taken from, the last where it is None. Without ``attempts``
    they are left out of the records where that saves time. ``hands`` is how many processes may read
    at once. ``ask`` has schedulers asked of the runs that they may know more of.
    """

    measures: tuple[Measure, ...] = ()
    warn: Warn = print
    at: float | None = None
    details: frozenset[str] = frozenset()
    attempts: bool = True
    hands: int = 1
    ask: bool = True


def read_experiment(experiment: ExperimentDir, reader: Reader) -> Iterator[RunRecord]:
    """Read the runs of an experiment by name, one after another."""
    runs = list(places(experiment))
    return read_runs(runs, experiment.path.name, reader, index_for(runs, experiment, reader))


def index_for(runs: Sequence[RunDir], experiment: ExperimentDir, reader: Reader) -> Index | None:
    """Open the index of an experiment if it can help to read so many of its runs."""
    if len(runs) < MANY or reader.at is not None:
        return None
    return opened(experiment, reader.measures, reader.attempts or bool(reader.details))


def read_runs(
    runs: Sequence[RunDir], experiment: str, reader: Reader, index: Index | None = None
) -> Iterator[RunRecord]:
    """Read the directories that are runs'; what is damaged costs a warning, each time."""
    if not runs:
        return
    now = clock(runs[0].path.parent)
    read = partial(read_run, experiment=experiment, now=now, reader=reader, index=index)
    records = _each(runs, experiment, read, reader, index)
    for record in asked(records, reader.warn, now) if reader.ask else records:
        yield _with_details(record, reader, now) if reader.details else record


def _each(
    runs: Sequence[RunDir],
    experiment: str,
    read: Callable[[RunDir], Reading],
    reader: Reader,
    index: Index | None,
) -> Iterator[RunRecord]:
    try:
        is_many = reader.hands > 1 and len(runs) >= 2 * WORTH_A_FORK
        ahead = _read_ahead(runs, read, reader.hands, index) if is_many else {}
        for run in runs:
            known = index.find(run, experiment) if index and not (ahead and run in ahead) else None
            record, warnings = (known, []) if known else (ahead and ahead.get(run)) or read(run)
            for warning in warnings:
                reader.warn(warning)
            if record is not None:
                yield record
        if index:
            index.write()
    finally:
        if index:
            index.close()


def _read_ahead(
    runs: Sequence[RunDir], read: Callable[[RunDir], Reading], hands: int, index: Index | None
) -> dict[RunDir, Reading]:
    """Read with all hands the runs of which the index knows nothing, if they are many.

    What the index takes of them is found there.
    """
    hands = min(hands, (len(runs) - (index.known if index else 0)) // WORTH_A_FORK)
    if hands < 2:
        return {}
    unread = [run for run in runs if not (index and index.answers(run))]
    from runx.processes import shared_out

    def read_part(part: Sequence[RunDir]) -> tuple[dict[RunDir, Reading], Entries]:
        readings = {run: read(run) for run in part}
        fresh = index.fresh if index else {}
        left = {run: one for run, one in readings.items() if run.path.name not in fresh}
        return left, fresh

    left: dict[RunDir, Reading] = {}
    for readings, fresh in shared_out(read_part, [unread[at::hands] for at in range(hands)]):
        left.update(readings)
        if index:
            index.fresh.update(fresh)
    return left


def read_run(
    run: RunDir,
    experiment: str,
    now: Callable[[], float],
    reader: Reader,
    index: Index | None = None,
) -> Reading:
    """Read one directory; what is wrong with it stops nobody."""
    warnings: list[str] = []
    look = Look(os.fspath(run))
    try:
        record = _read(run, experiment, now, reader._replace(warn=warnings.append), look)
    except (StoreError, OSError) as error:
        # The warning begins with the path.
        without = str(error).removeprefix(f"{look.path}/")
        return None, [*warnings, f"{look.path}: left out: {without}"]
    # What is warned of is to be warned of the next time, too.
    if record is not None and index and not warnings:
        index.keep(look, record)
    return record, warnings


def _read(
    run: RunDir, experiment: str, now: Callable[[], float], reader: Reader, look: Look
) -> RunRecord | None:
    # First, since it joins what a job wrote elsewhere, which may be hyperparameters too.
    attempts = read_attempts(run, now, reader.warn, look)
    hparams = _hparams(look, reader.warn)
    if hparams is None:
        return None
    record = look.content(RECORD)
    if HPARAMS in look.stamps:
        look.final(RECORD)  # It was written once; what runs and people change is beside it.
    measured = _measured(look, reader)
    return RunRecord(
        name=os.path.basename(look.path),
        dir=run,
        hparams=hparams,
        status=state(attempts) if attempts or record is not None else State(UNKNOWN),
        metrics=measured.metrics,
        epoch=measured.epoch,
        epoch_time=measured.epoch_time,
        experiment=experiment,
        measured=measured.measured,
        resources=_resources(record, look, reader.warn) if record else {},
        attempts=attempts,
    )


def _hparams(look: Look, warn: Warn) -> dict[str, Any] | None:
    """Read a run's hyperparameters; None where the directory is no run's.

    Whichever of the files is whole will do: what runx gave, and beside it what the script added.
    """
    complaints: list[str] = []
    given = _object(look, HPARAMS, complaints)
    if given is None and (record := _object(look, RECORD, complaints)) is not None:
        given = record.get("hparams")
    added = (_object(look, LOGX, complaints) or {}).get("hparams")
    is_known = given is not None or added is not None
    if not is_known and not os.path.isfile(f"{look.path}/{METRICS}") and not event_files(look.path):
        if complaints:
            raise StoreError(complaints[0])
        return None
    for complaint in complaints:
        warn(complaint)
    found: dict[str, Any] = {}
    for hparams in (added, given):
        found.update(hparams if isinstance(hparams, dict) else {})
    return found


def _object(look: Look, name: str, complaints: list[str]) -> dict[str, Any] | None:
    """Read a JSON object; the keys of hparams.json are all the script's, "version" too."""
    try:
        text = look.content(name)
        if text is None:
            return None
        content = json.loads(text) if name == HPARAMS else parsed_json(text, f"{look.path}/{name}")
    except StoreError as error:
        complaints.append(str(error))
        return None
    except (ValueError, OSError) as error:
        complaints.append(f"{look.path}/{name}: can't be read: {error}")
        return None
    if content is not None and not isinstance(content, dict):
        complaints.append(f"{look.path}/{name}: not a JSON object")
        return None
    return content


def _resources(record: bytes, look: Look, warn: Warn) -> dict[str, Any]:
    """Return what a run has asked of its farm; most runs, which are here, ask for nothing."""
    if b'"resources": {' not in record or b'"resources": {}' in record:
        return {}
    try:
        resources = parsed_json(record, f"{look.path}/{RECORD}").get("resources")
    except StoreError as error:
        warn(str(error))
        return {}
    return resources if isinstance(resources, dict) else {}


def _measured(look: Look, reader: Reader) -> Tally:
    """Sum up a run's metrics, those of other phases only where they are asked for.

    Where there is no file of them, what TensorBoard's have.
    """
    rows = {METRICS: look.content(METRICS)}
    is_silent, tallies = rows[METRICS] is None, []
    for phase in dict.fromkeys(("val", *(wanted.phase for wanted in reader.measures))):
        name = metrics_of(phase)
        if is_silent:
            for file in event_files(look.path):
                look.note(file.name)
            rows[name] = as_rows(look.path, phase, reader.warn)
        elif name not in rows:
            rows[name] = look.content(name)
        wanted = [measure for measure in reader.measures if measure.phase == phase]
        warn = partial(_damaged, reader.warn, f"{look.path}/{name}")
        at = reader.at if phase == "val" else None
        tallies.append(tally(rows[name] or b"", wanted, warn, phase, at))
    for other in tallies[1:]:
        tallies[0].measured.update(other.measured)
    return tallies[0]


def _damaged(warn: Warn, path: str, line: int, reason: str) -> None:
    warn(f"{path}, line {line}: left out: {reason}")


def _with_details(record: RunRecord, reader: Reader, now: Callable[[], float]) -> RunRecord:
    """Fill in the details of a run that are asked for."""
    details = _details(record, reader.details, now(), reader.warn)
    return record._replace(details={name: one for name, one in details if one is not None})


def _details(
    record: RunRecord, wanted: frozenset[str], now: float, warn: Warn
) -> Iterable[tuple[str, Any]]:
    """Return what is wanted of a run's details, times in seconds since 1970."""
    own = {
        "host": record.where,
        "started": record.started,
        "elapsed": record.elapsed(now),
        "attempt": record.status.attempt or None,
    }
    yield from ((name, own[name]) for name in wanted & own.keys())
    if not wanted & {*_RECORDED, *_LAUNCHED}:
        return
    content = read_or_empty(record.dir.record, warn)
    for name in wanted & set(_RECORDED):
        yield name, content.get(name)
    if wanted & set(_LAUNCHED) and content.get("launch"):
        launch = launch_of(record.dir, content, warn)
        yield "note", launch.get("note") or None
        yield "git", _commit(launch.get("git"))


def _commit(git: Any) -> str | None:
    """Return a commit's short name, marked where there were changes on top of it.

    >>> _commit({"commit": "c0ffee0123456789", "dirty": True})
    'c0ffee0123+'
    """
    if not isinstance(git, dict) or not git.get("commit"):
        return None
    return f"{git['commit'][:10]}{'+' if git.get('dirty') else ''}"
