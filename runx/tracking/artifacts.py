"""artifacts/: the files, arrays, figures and other objects of logx.artifact, with an index."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from runx.errors import LogxError
from runx.nearest import suggestion
from runx.rundir.artifacts import INDEX, artifact_entries
from runx.rundir.files import append_line
from runx.rundir.paths import RunDir
from runx.tracking.artifact_kinds import Kind, kind_named, kind_of
from runx.tracking.plain import path_of, text_of


def save(
    run: RunDir, thing: Any, name: Any, kind: str | None, own: Mapping[str, Kind], time: str
) -> Path:
    """Write a file, folder or object to artifacts/ and its index; return the path.

    Raises LogxError for what can't be an artifact of its kind, or its name.
    """
    found = kind_of(thing) if kind is None else kind_named(kind, own)
    if name is None and found.is_copied:
        name = Path(path_of(thing, "artifact")).name
    name = _checked(name)
    target = run.artifacts / found.file_name(name)
    _check_free(run, target)
    _write_atomic(target, lambda path: found.save(thing, path))
    entry = {"name": name, "file": str(target.relative_to(run.artifacts))}
    append_line(run.artifacts / INDEX, json.dumps({**entry, "kind": found.name, "time": time}))
    return target


def load(run: RunDir, name: Any, kind: str | None, own: Mapping[str, Kind]) -> Any:
    """Return the object that was kept under a name; of files and folders, the path.

    Raises LogxError where there is none, or for a pickle unless it is asked for as one.
    """
    name = _checked(name)
    try:
        entries = artifact_entries(run)
    except OSError as error:
        raise LogxError(f"{run.artifacts}: can't be read: {error.strerror}") from error
    entry = entries.get(name) or next(
        (each for each in entries.values() if each.get("file") == name), None
    )
    if entry is None:
        raise LogxError(f"{run.artifacts}: no artifact {name}; {suggestion(name, entries)}")
    path = run.artifacts / _checked(entry.get("file"))
    kept = str(entry.get("kind"))
    if kept == "pickle" != kind:
        raise LogxError(
            f"artifact {name} is a pickle, which executes what is in it; if you trust it,"
            f' load_artifact("{name}", kind="pickle")'
        )
    if kind is not None and kind != kept:
        raise LogxError(f"artifact {name} is of kind {kept}, not {text_of(kind)}")
    try:
        return kind_named(kept, own).load(path)
    except LogxError:
        raise
    except Exception as error:
        raise LogxError(
            f"{path}: can't be read: {text_of(error) or type(error).__name__}"
        ) from error


def _checked(name: Any) -> str:
    """Return a name that stays within the folder."""
    if name is None or name == "":
        raise LogxError("artifact: an object needs a name=")
    text = path_of(name, "artifact: name=")
    parts = PurePosixPath(text).parts
    is_inside = parts and not PurePosixPath(text).is_absolute() and ".." not in parts
    if not is_inside or parts == (INDEX,):
        raise LogxError(f"artifact: {text!r} can't be a name under artifacts/")
    return text


def _check_free(run: RunDir, target: Path) -> None:
    """Raise LogxError where a folder of other artifacts is in the place of one."""
    if not target.is_dir():
        return
    for entry in artifact_entries(run).values():
        if target in (run.artifacts / str(entry.get("file"))).parents:
            raise LogxError(
                f"artifact: {target.relative_to(run.artifacts)} is the folder of"
                f" {entry.get('name')}; give another name="
            )


def _write_atomic(target: Path, write: Callable[[Path], object]) -> None:
    """Write a file or folder beside the target, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # What a name ends in may say the format.
    beside = target.with_name(f".tmp.{os.getpid()}.{target.name}")
    try:
        write(beside)
        if target.is_dir():
            shutil.rmtree(target)
        beside.replace(target)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)
        with suppress(OSError):
            target.parent.rmdir()  # Where nothing is in it.
