"""Everything about one run: as JSON has it, and as lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runx.analysis.cells import duration, for_machines
from runx.analysis.codes import code_changed, with_codes
from runx.analysis.commands import command_words, in_folder
from runx.analysis.failures import cause_in
from runx.analysis.gpus import GpuUse, gpu_use
from runx.analysis.runjson import attempt_as_json, run_as_json, trial_as_json
from runx.rundir.orders import pruned_by
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import launch_folder, launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.searches import search_dir
from runx.sweeps.hparam_types import described

_SHOWN = 20  # of the runs that one was compared with
_UNLISTED = ("code", "attempts", "orders")


def description(record: RunRecord, now: float, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return everything about a run as JSON has it: its record, attempts, files and commands."""
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
