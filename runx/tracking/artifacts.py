"""artifacts/: the files, arrays, figures and other objects of logx.artifact, with an index."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from runx.errors import LogxError
from runx.rundir.files import append_line
from runx.rundir.paths import RunDir

INDEX = "index.jsonl"
"""One JSON object a line: name, file, kind and time; a later line replaces one of its name."""


def save(run: RunDir, thing: Any, name: str | None, time: str) -> Path:
    """Write a file, folder or object to artifacts/ and its index; return the path."""
    is_path = isinstance(thing, (str, os.PathLike))
    source = Path(os.fspath(thing)) if is_path else None
    if source and not source.exists():
        raise LogxError(f"artifact: {source} is not there; text is kept as bytes: text.encode()")
    name = name or (source.name if source else None)
    if not name:
        raise LogxError("artifact: an object needs a name=")
    kind, suffix, write = _form(thing, source)
    parts = PurePosixPath(name).parts
    if PurePosixPath(name).is_absolute() or ".." in parts or name == INDEX:
        raise LogxError(f"artifact: {name!r} can't be a name under artifacts/")
    target = run.artifacts / name
    if suffix and target.suffix != suffix:
        target = target.with_name(target.name + suffix)
    _write_atomic(target, write)
    entry = {"name": name, "file": str(target.relative_to(run.artifacts))}
    append_line(run.artifacts / INDEX, json.dumps({**entry, "kind": kind, "time": time}))
    return target


def _form(thing: Any, source: Path | None) -> tuple[str, str, Callable[[Path], object]]:
    """Return the kind of an object, the suffix of its file, and the function that writes it."""
    if source and source.is_dir():
        return "folder", "", lambda path: shutil.copytree(source, path, symlinks=True)
    if source:
        return "file", "", lambda path: shutil.copyfile(source, path)
    if isinstance(thing, (bytes, bytearray)):
        return "bytes", "", lambda path: path.write_bytes(thing)
    if hasattr(thing, "savefig"):
        return "figure", ".png", lambda path: thing.savefig(path, format="png")
    if hasattr(thing, "to_csv"):
        return "table", ".csv", lambda path: thing.to_csv(path, index=False)
    if hasattr(thing, "detach"):
        thing = thing.detach().cpu().numpy()
    if hasattr(thing, "__array__"):
        return "array", ".npy", lambda path: _save_array(path, thing)
    try:
        text = json.dumps(thing, indent=2, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise LogxError(f"artifact: a {type(thing).__name__} can't be kept: {error}") from error
    return "json", ".json", lambda path: path.write_text(text + "\n", "utf-8")


def _save_array(path: Path, array: Any) -> None:
    import numpy

    with path.open("wb") as file:
        numpy.save(file, array, allow_pickle=False)


def _write_atomic(target: Path, write: Callable[[Path], object]) -> None:
    """Write a file or folder beside the target, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        write(beside)
        if target.is_dir():
            shutil.rmtree(target)
        beside.replace(target)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)
