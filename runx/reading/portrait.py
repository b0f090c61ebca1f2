"""Everything about one run, gathered from its directory and its launch's."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from runx.formats.cells import duration, for_machines
from runx.reading.kept import kept, launch_folder, launch_of
from runx.reading.roster import objects
from runx.reading.standing import Standing
from runx.rundir import RunDir
from runx.states.again import there, typed
from runx.states.attempts import Attempt

_UNLISTED = ("code", "attempts", "orders")


def portrait(one: Standing, now: float, warn: Callable[[str], None]) -> dict[str, Any]:
    """Gather all that is known of a run, as JSON has it."""
    run = one.result.dir
    record = kept(run.record, warn)
    launch = launch_of(run, record, warn)
    return {
        **objects([one], now)[0],
        "id": record.get("id"),
        "tag": record.get("tag"),
        "cmd": record.get("cmd"),
        "resources": record.get("resources"),
        "code": record.get("code"),
        "git": launch.get("git"),
        "note": launch.get("note"),
        "launch": record.get("launch"),
        "attempts": [_attempt(attempt) for attempt in one.facts.attempts],
        "files": _files(run.path),
        "again": list(_again(run, launch, record)),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    ended, started = attempt.event("ended"), attempt.event("started")
    return {
        "attempt": attempt.number,
        "host": attempt.host or None,
        "farm": attempt.farm,
        "job": attempt.job,
        "started": started.time if started else None,
        "ended": ended.time if ended else None,
        "code": ended.details.get("code") if ended else None,
        "order": attempt.order,
        "events": [dict(event.details) for event in attempt.events],
    }


def _files(path: Path) -> list[str]:
    names = sorted(inner.name for inner in path.iterdir() if inner.name not in _UNLISTED)
    return [str(path / name) for name in names]


def _again(run: RunDir, launch: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    """Give the commands that do it again: with the frozen code, or from the project's history."""
    if run.script.exists():
        yield f"bash {shlex.quote(str(run.script))}"
    git, project = launch.get("git") or {}, record.get("project")
    if git.get("commit") and project:
        yield f"git -C {shlex.quote(str(project))} checkout {git['commit']}"
        folder = launch_folder(run, record)
        if folder and (patch := folder / "diff.patch").exists():
            yield f"git -C {shlex.quote(str(project))} apply {shlex.quote(str(patch))}"
    if launch.get("argv"):
        words = typed([str(word) for word in launch["argv"]])
        yield there(shlex.join(words), str(launch.get("cwd", ".")))


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Write a portrait for people."""
    yield f"{found['run']}"
    why = f" ({found['reason']})" if found["reason"] else ""
    elapsed = f", {duration(found['elapsed'])}" if found["elapsed"] is not None else ""
    yield from _pair("state", f"{found['state']}{why}{elapsed}")
    git = found["git"] or {}
    commit = f"{git['commit']}{', with changes' if git.get('dirty') else ''}" if git else None
    for name in ("id", "tag", "cmd", "code", "where", "note", "dir"):
        yield from _pair(name, found[name])
    yield from _pair("git", commit)
    yield from _mapping("hparams", found["hparams"])
    yield from _mapping("resources", found["resources"] or {})
    epoch = {} if found["epoch"] is None else {"epoch": found["epoch"]}
    yield from _mapping("metrics", {**found["metrics"], **epoch})
    if found["attempts"]:
        yield "attempts"
        yield from map(_attempt_line, found["attempts"])
    yield from _listing("files", found["files"])
    yield from _listing("again", found["again"])


def _pair(name: str, value: Any) -> Iterator[str]:
    if value not in (None, ""):
        yield f"{name:<8}  {value}"


def _mapping(name: str, content: Mapping[str, Any]) -> Iterator[str]:
    if content:
        yield name
        widest = max(map(len, content))
        for key, value in content.items():
            yield f"  {key:{widest}}  {for_machines(value)}".rstrip()


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
    code = f"exit status {attempt['code']}" if attempt["code"] is not None else ""
    parts = (when, took, code, attempt["host"] or "", job, attempt["order"] or "")
    return f"  {attempt['attempt']}  " + ", ".join(part for part in parts if part)
