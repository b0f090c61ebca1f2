"""The states of runs: as a table, counted by experiment, and everything about one run."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from runx.analysis.ask import ask_schedulers, read_states, with_job_status
from runx.analysis.cells import duration, for_machines
from runx.analysis.codes import code_changed, with_codes
from runx.analysis.columns import POINT, Column, value
from runx.analysis.commands import command_words, in_folder
from runx.analysis.question import Question
from runx.analysis.remove import freed_bytes
from runx.analysis.runjson import attempt_as_json, run_as_json, trial_as_json
from runx.analysis.table import Row, Table, own_columns, ranked, sort_keys
from runx.errors import RunxError
from runx.rundir.attempts import clock
from runx.rundir.experiments import find, labels_in, launches, run_dirs
from runx.rundir.orders import pruned_by
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import launch_folder, launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.searches import search_dir
from runx.rundir.state import ENDED_BADLY, STATES, UNKNOWN, State
from runx.staging.walk import megabytes
from runx.sweeps.hparam_types import described

_FIRST = ("experiment", "run", "labels", "hparam", "resource")
_LAST = ("metric", "measured", "epoch")
_SHOWN = 20  # of the runs that one was compared with
_UNLISTED = ("code", "attempts", "orders")


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


def description(record: RunRecord, now: float, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return everything about a run as JSON has it: its record, attempts, files and commands."""
    from runx.analysis.failures import cause_in
    from runx.analysis.gpus import gpu_use

    run, use = record.dir, gpu_use(record, now)
    content = read_or_empty(run.record, warn)
    launch = launch_of(run, content, warn)
    return {
        **run_as_json(record, now),
        "cause": cause_in(record),
        **({"gpu_hours": use.hours, "gpu_idle": use.idle} if use else {}),
        "id": content.get("id"),
        **_search(record, warn),
        **({"hparams_types": types} if (types := launch.get("hparams_types")) else {}),
        "cmd": content.get("cmd"),
        "code_changed": code_changed(record),
        "created": content.get("created"),
        **({"pruned": order} if (order := _pruned(record)) else {}),
        "git": launch.get("git"),
        "note": launch.get("note"),
        "launch": content.get("launch"),
        "attempts": [
            {
                **attempt_as_json(attempt),
                "code_digest": code or None,
                "events": [dict(event.details) for event in attempt.events],
            }
            for attempt, code in with_codes(record)
        ],
        "files": _files(run.path),
        "again": list(_commands(run, launch, content)),
    }


def _search(record: RunRecord, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return the point of a search that a run has: who asked for it, and what was known then."""
    if record.trial is None:
        return {}
    folder = search_dir(ExperimentDir(record.dir.experiment), record.trial.search)
    search = read_or_empty(folder.record, warn)
    point = read_or_empty(folder.point(record.trial.number), warn)
    return {
        "search": {
            **trial_as_json(record.trial),
            "trials": search.get("trials"),
            "sampler": point.get("sampler"),
            "known": point.get("known"),
            "values": point.get("values"),
        }
    }


def _search_line(search: Mapping[str, Any]) -> str:
    """Return what a search's point is, for people.

    >>> _search_line({"name": "a-1b", "point": 7, "trials": 60, "sampler": "tpe", "known": 3})
    'a-1b, point 7 of 60, chosen by tpe from 3 that had ended'
    """
    of = f" of {search['trials']}" if search["trials"] else ""
    how = ", not chosen yet"
    if search["sampler"]:
        how = f", chosen by {search['sampler']}"
        how += f" from {search['known']} that had ended" if search["known"] else ""
    return f"{search['name']}, point {search['point']}{of}{how}"


def _files(path: Path) -> list[str]:
    names = sorted(inner.name for inner in path.iterdir() if inner.name not in _UNLISTED)
    return [str(path / name) for name in names]


def _commands(run: RunDir, launch: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    """Return the commands that repeat a run: by its frozen code, or from the project's history."""
    if run.script.exists():
        yield f"bash {shlex.quote(str(run.script))}"
    git, project = launch.get("git") or {}, content.get("project")
    if git.get("commit") and project:
        yield f"git -C {shlex.quote(str(project))} checkout {git['commit']}"
        folder = launch_folder(run, content)
        if folder and (patch := folder / "diff.patch").exists():
            yield f"git -C {shlex.quote(str(project))} apply {shlex.quote(str(patch))}"
    if launch.get("argv"):
        words = command_words([str(word) for word in launch["argv"]])
        yield in_folder(shlex.join(words), str(launch.get("cwd", ".")))


def description_lines(run: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines of a description for people."""
    yield f"{run['name']}"
    why = f" ({run['reason']})" if run["reason"] else ""
    elapsed = f", {duration(run['elapsed'])}" if run["elapsed"] is not None else ""
    yield from _pair("state", f"{run['state']}{why}{elapsed}")
    yield from _pair("cause", run["cause"])
    from runx.analysis.gpus import GpuUse

    git = run["git"] or {}
    commit = f"{git['commit']}{', with changes' if git.get('dirty') else ''}" if git else None
    changed = f" ({run['code_changed']})" if run["code_changed"] else ""
    for name in ("id", "tag", "cmd"):
        yield from _pair(name, run[name])
    yield from _pair("code", f"{run['code_digest']}{changed}" if run["code_digest"] else None)
    for name in ("where", "note", "logdir"):
        yield from _pair(name, run[name])
    if run.get("gpu_hours") is not None:
        yield from _pair("gpus", str(GpuUse(run["gpu_hours"], run["gpu_idle"])))
    yield from _pair("labels", ", ".join(run.get("labels", ())))
    yield from _pair("search", _search_line(run["search"]) if run.get("search") else None)
    yield from _pair("git", commit)
    meanings = {name: described(said) for name, said in run.get("hparams_types", {}).items()}
    yield from _mapping("hparams", run["hparams"], meanings)
    yield from _mapping("resources", run["resources"] or {})
    epoch = {} if run["epoch"] is None else {"epoch": run["epoch"]}
    yield from _mapping("metrics", {**run["metrics"], **epoch})
    steps = run.get("steps", {})
    yield from _compared(run.get("pruned", {}))
    yield from _mapping("steps", {name: _step_line(step) for name, step in steps.items()})
    if run["attempts"]:
        yield "attempts"
        yield from map(_attempt_line, run["attempts"])
    yield from _listing("files", run["files"])
    yield from _listing("again", run["again"])


def _pruned(record: RunRecord) -> dict[str, Any]:
    """Return what a run had when it was stopped early, and what it was compared with."""
    if record.state != "pruned":
        return {}
    place = record.dir.step(record.step) if record.step else record.dir
    order = pruned_by(place, record.status.attempt)
    return {name: order[name] for name in ("epoch", "value", "others", "goal") if name in order}


def _compared(pruned: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines on what a run was compared with, the best first."""
    if "others" not in pruned:
        return
    sign = -1 if pruned["goal"] == "maximize" else 1
    others = sorted(pruned["others"].items(), key=lambda item: sign * item[1])
    yield from _mapping(
        f"stopped at epoch {pruned['epoch']}, compared with",
        {"this run": pruned["value"], **dict(others[:_SHOWN])},
    )
    if len(others) > _SHOWN:
        yield f"  and {len(others) - _SHOWN} that were worse"


def _step_line(step: Mapping[str, Any]) -> str:
    why = f" ({step['reason']})" if step["reason"] else ""
    return f"{step['state']}{why}, in {step['logdir']}"


def _pair(name: str, value: Any) -> Iterator[str]:
    if value not in (None, ""):
        yield f"{name:<8}  {value}"


def _mapping(
    name: str, content: Mapping[str, Any], meanings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    texts = {key: for_machines(value) for key, value in content.items()}
    if texts:
        yield name
    width, wide = (max(map(len, words), default=0) for words in (texts, texts.values()))
    for key, text in texts.items():
        yield f"  {key:{width}}  {text:{min(wide, 30)}}  {meanings.get(key, '')}".rstrip()


def _listing(name: str, content: list[str]) -> Iterator[str]:
    if content:
        yield name
        yield from (f"  {line}" for line in content)


def _attempt_line(attempt: Mapping[str, Any]) -> str:
    began = attempt["started"]
    when = f"{datetime.fromtimestamp(began):%Y-%m-%d %H:%M:%S}" if began else "not started"
    job = f"{attempt['farm']} {attempt['job'] or ''}".strip() if attempt["farm"] else ""
    took = ""
    if began and attempt["ended"]:
        took = duration(attempt["ended"] - began)
    code = f"exit status {attempt['exit_code']}" if attempt["exit_code"] is not None else ""
    parts = (when, took, code, attempt["host"] or "", job, attempt["order"] or "")
    return f"  {attempt['attempt']}  " + ", ".join(part for part in parts if part)
