"""What of a project has changed since runs were launched: files of their code, and settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runx.errors import RunxError
from runx.rundir.paths import EXPERIMENT, ExperimentDir, RunDir
from runx.rundir.record import launch_folder, launch_of, read_or_empty, staged_code
from runx.rundir.secrets import without_secrets
from runx.staging.copying import read_steadily
from runx.staging.store import FrozenFile, read_manifest
from runx.sweeps.yaml import parse

_TICK = 3.0
"""Seconds before a launch in which a file may have changed that it froze as it was before."""


def changed_since(runs: Iterable[RunDir]) -> list[str]:
    """Return the files that differ today from what runs were staged with, with keys of settings.

    What can't be compared, as where the project is on another machine, is passed by.
    """
    records = [(run, read_or_empty(run.record, _ignore)) for run in runs]
    files, settings = set[str](), dict[str, str]()
    compared = set[tuple[str | None, Any]]()
    for run, record in records:
        code, project = staged_code(run), record.get("project")
        if (code, record.get("launch")) in compared or not isinstance(project, str):
            continue
        compared.add((code, record.get("launch")))
        launch = launch_of(run, record, _ignore)
        settings.update(_settings(launch_folder(run, record), launch, Path(project)))
        if code and _setting(launch, "CODE_FROM") in ("", "worktree"):
            store = ExperimentDir(run.path.parent).code
            files.update(_files(store / code, Path(project), launch))
    return sorted({*(settings.get(name, name) for name in files), *settings.values()})


def _files(frozen: Path, project: Path, launch: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files of a frozen code that are others, or gone, in the project."""
    try:
        files = read_manifest(os.fspath(frozen)).files if project.is_dir() else ()
        since = float(launch.get("created") or 0) - _TICK
        elsewhere = _setting(launch, "FILES")
        for file in files:
            if f"{file.path}:" not in elsewhere and _differs(project / file.path, file, since):
                yield file.path
    except (RunxError, OSError):
        return  # The code is gone, or may not be read.


def _differs(source: Path, file: FrozenFile, since: float) -> bool:
    try:
        status = source.stat()
    except FileNotFoundError:
        return True
    if status.st_size != file.size:
        return True
    return max(status.st_mtime, status.st_ctime) > since and (
        read_steadily(os.fspath(source))[1] != file.digest
    )


def _settings(
    folder: Path | None, launch: Mapping[str, Any], project: Path
) -> Iterator[tuple[str, str]]:
    """Yield the files of settings that have changed, and with the keys in which they differ."""
    sources = launch.get("sources")
    if folder is None or not isinstance(sources, list):
        return
    for number, source in enumerate(map(str, sources)):
        copy = folder / (f"settings-{number}.yml" if number else EXPERIMENT)
        name = os.path.relpath(source, project)
        name = source if name.startswith("..") else name
        try:
            before, now = copy.read_text(encoding="utf-8"), Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            continue
        now = without_secrets(now)
        if before != now:
            yield name, name + _keys(before, now)


def _keys(before: str, now: str) -> str:
    """Return the keys in which two texts of settings differ, in brackets."""
    try:
        old, new = (parse(text, "", may_be_empty=True).tree for text in (before, now))
    except RunxError:
        return ""
    keys = [key for key in (*old, *new) if repr(old.get(key)) != repr(new.get(key))]
    return f" ({', '.join(dict.fromkeys(keys))})" if keys else ""


def _setting(launch: Mapping[str, Any], name: str) -> str:
    settings = launch.get("settings")
    setting = settings.get(name) if isinstance(settings, dict) else None
    return str(setting.get("value") or "") if isinstance(setting, dict) else ""


def _ignore(_: str) -> None:
    """Drop a warning: what is damaged can't be compared."""
