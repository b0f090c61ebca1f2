"""The states of runs: as a table, and counted by experiment."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.ask import ask_schedulers, read_states, with_job_status
from runx.analysis.columns import POINT, Column, value
from runx.analysis.question import Question
from runx.analysis.remove import freed_bytes
from runx.analysis.runjson import run_as_json
from runx.analysis.table import Row, Table, own_columns, ranked, sort_keys
from runx.errors import RunxError
from runx.rundir.attempts import clock
from runx.rundir.experiments import find, labels_in, launches, run_dirs
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import RunRecord
from runx.rundir.state import ENDED_BADLY, STATES, UNKNOWN, State
from runx.staging.walk import megabytes

_FIRST = ("experiment", "run", "labels", "hparam", "resource")
_LAST = ("metric", "measured", "epoch")


class Overview(NamedTuple):
    """An experiment in short: its runs' states, its title, its last event's time, its labels.

    ``note`` is the last launch's that has one; ``size`` the bytes on disk, None if not counted.
    """

    name: str
    states: tuple[str, ...]
    title: str
    active: float | None
    labels: tuple[str, ...] = ()
    note: str = ""
    size: int | None = None

    def json(self) -> dict[str, Any]:
        """Return the overview as JSON has it."""
        states = Counter(self.states)
        return {
            "experiment": self.name,
            "runs": len(self.states),
            "states": {name: states[name] for name in (*STATES, UNKNOWN) if states[name]},
            "title": self.title,
            **({"labels": list(self.labels)} if self.labels else {}),
            "active": self.active,
            **({} if self.size is None else {"size": self.size, "note": self.note}),
        }


def status_table(
    records: Iterable[RunRecord],
    now: float,
    question: Question = Question(),  # noqa: B008
    disk: bool = False,
) -> Table:
    """Return a table of the states of runs, with what differs, their last metrics and hosts.

    They are sorted by what a question says, else by their names. ``disk``: with the bytes that
    removing each would free.
    """
    records = sorted(records, key=lambda record: (record.experiment, record.name))
    keys = sort_keys(records, question) if question.sortwith else []
    records = ranked(records, keys)
    shown = own_columns(records, question)
    columns = (
        *(column for column in shown if column.kind in _FIRST),
        *([Column(POINT, POINT)] if any(record.trial for record in records) else []),
        *((Column("disk", "disk"),) if disk else ()),
        Column("state", "status"),
        *(Column(name, "step", name) for name in step_names(records)),
        Column("attempt", "attempt"),
        Column("elapsed", "elapsed"),
        *(column for column in shown if column.kind in _LAST),
        Column("where", "where"),
    )
    rows = (
        Row(tuple(_cell(record, column, now) for column in columns), record) for record in records
    )
    return Table(columns, tuple(rows), tuple(keys))


def _cell(record: RunRecord, column: Column, now: float) -> Any:
    if column.kind == "status":
        return str(record.status)
    if column.kind == "step":
        states = (step.status.name for step in record.steps if step.name == column.name)
        return next(states, None)
    if column.kind == "attempt":
        return record.status.attempt or None
    if column.kind == "elapsed":
        return record.elapsed(now)
    if column.kind == "disk":
        return freed_bytes(record.dir.path)
    if column.kind == "where":
        return record.where
    return value(record, column)


def step_names(records: Iterable[RunRecord]) -> list[str]:
    """Return the names of the steps that runs need, each once, in their order."""
    return list(dict.fromkeys(step.name for record in records for step in record.steps))


def counts(names: Iterable[str]) -> str:
    """Return the number of each state as text, in the order of a run's life.

    >>> counts(["done", "failed", "done"])
    '2 done, 1 failed'
    """
    number = Counter(names)
    return ", ".join(f"{number[name]} {name}" for name in (*STATES, UNKNOWN) if number[name])


def any_failed(states: Iterable[State]) -> bool:
    """Return whether any run ended badly."""
    return any(state.name in ENDED_BADLY for state in states)


def runs_as_json(records: Iterable[RunRecord], now: float) -> list[dict[str, Any]]:
    """Return each run as JSON has it, with its status."""
    return [run_as_json(record, now) for record in records]


def overview_rows(experiments: Sequence[Overview], now: float) -> list[tuple[str, ...]]:
    """Return the rows of the table of all experiments, the latest activity last."""
    ordered = sorted(experiments, key=lambda each: (each.active or 0.0, each.name))
    return [
        (
            experiment.name,
            str(len(experiment.states)),
            counts(experiment.states),
            ago(now - experiment.active) if experiment.active else "",
            "" if experiment.size is None else megabytes(experiment.size),
            ", ".join(experiment.labels),
            experiment.title,
            experiment.note,
        )
        for experiment in ordered
    ]


def ago(seconds: float) -> str:
    """Return how many seconds ago something was, as text in the largest unit.

    >>> ago(5), ago(7300), ago(3e6)
    ('just now', '2 h ago', '34 days ago')
    """
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (2 * size if unit == "days" else size):
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def overviews(
    logroot: Path, warn: Callable[[str], None], labels: Sequence[str] = (), sizes: bool = False
) -> Iterator[Overview]:
    """Return an overview of every experiment under LOGROOT, without its metrics.

    Of an experiment without all of ``labels`` nothing is read. ``sizes`` are counted if asked for.

    Raises:
        RunxError: LOGROOT doesn't exist.
    """
    if not logroot.is_dir():
        raise RunxError(f"LOGROOT {logroot} isn't there; launch an experiment, or see --logroot")
    experiments = [
        each
        for each in find(["*"], logroot, logroot, warn)
        if not labels or {*labels} <= {*labels_in([each], warn)}
    ]
    states = [list(read_states([*run_dirs(each)], each, warn)) for each in experiments]
    statuses = ask_schedulers([record for records in states for record in records], warn)
    for experiment, records in zip(experiments, states, strict=True):
        now = clock(experiment.path)
        records = [with_job_status(record, statuses, now) for record in records]
        size = freed_bytes(experiment.path) if sizes else None
        yield _overview(experiment, records, warn)._replace(size=size)


def _overview(
    experiment: ExperimentDir, records: Sequence[RunRecord], warn: Callable[[str], None]
) -> Overview:
    names, latest = [], 0.0
    for record in records:
        names.append(record.state)
        times = (event.time for attempt in record.attempts for event in attempt.events)
        latest = max(latest, os.stat(record.dir).st_mtime, *(time or 0.0 for time in times))
    made = launches(experiment, warn)
    titles = ["", *(launch.title for launch in made if launch.title)]
    labels = tuple(dict.fromkeys(label for launch in made for label in launch.labels))
    notes = ["", *(launch.note for launch in made if launch.note)]
    states, active = tuple(names), latest or None
    return Overview(experiment.path.name, states, titles[-1], active, labels, notes[-1])
