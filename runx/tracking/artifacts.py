"""artifacts/: files, arrays, figures and more that a script keeps, with an index of them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from runx.errors import LogxError
from runx.rundir.files import append_line
from runx.rundir.paths import RunDir
from runx.rundir.records import TORN, encode
from runx.tracking.notes import Faults, utc_now
from runx.tracking.system import INTERVAL, Monitor
from runx.tracking.writers.appender import Appender

if TYPE_CHECKING:
    from runx.rundir.records import Metric


INDEX = "index.jsonl"
"""One JSON object a line: name, file, kind and time; of several of a name the last counts."""


def keep(run: RunDir, thing: Any, name: str | None, time: str) -> Path:
    """Keep a file, folder or object under artifacts/ and note it in the index."""
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
    _whole(target, write)
    entry = {"name": name, "file": str(target.relative_to(run.artifacts))}
    append_line(run.artifacts / INDEX, json.dumps({**entry, "kind": kind, "time": time}))
    return target


def _form(thing: Any, source: Path | None) -> tuple[str, str, Callable[[Path], object]]:
    """Tell what kind of thing this is, the suffix of its file, and how to write it."""
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


def _whole(target: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target, then rename over it."""
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


IN_MEMORY = "what is logged is kept in memory and written when that is possible again"


class SideFiles:
    """The files of one rank, each opened when something is first written to it."""

    def __init__(self, run: RunDir, rank: int, faults: Faults) -> None:
        self._run, self._rank, self._faults = run, rank, faults
        self._messages = Appender(str(run.messages_of(rank)), torn=b"\n")
        self._system = Appender(str(run.system), torn=TORN)
        self._monitor: Monitor | None = None

    def message(self, text: str) -> None:
        """Append to this rank's log, and print if this is the first rank."""
        try:
            if self._rank == 0:
                print(text)
        except (OSError, ValueError) as error:
            self._faults.met("stdout", error)
        self._append(self._messages, f"{text}\n", self._run.messages_of(self._rank).name)

    def artifact(self, thing: Any, name: str | None) -> str | None:
        """Keep a thing under artifacts/."""
        try:
            return str(keep(self._run, thing, name, utc_now()))
        except OSError as error:
            self._faults.met(f"artifact {name or thing}", error, "without it")
            return None

    def watch(self, system: bool | float) -> None:
        """Begin to note what the machine is doing, every so many seconds."""
        if system:
            self._monitor = Monitor(self._measured, INTERVAL if system is True else system)

    def forked(self) -> None:
        """Leave to the parent process what it has not written yet."""
        self._monitor = None
        self._messages.forked()
        self._system.forked()

    def close(self) -> None:
        """Write what is left and close the files."""
        if self._monitor is not None:
            self._monitor.stop()
        for file in (self._messages, self._system):
            self._faults.closing(file)

    def _measured(self, figures: dict[str, Metric]) -> None:
        self._append(self._system, encode("system", figures, None, time.time()), "system.csv")

    def _append(self, file: Appender, text: str, name: str) -> None:
        try:
            file.append(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._faults.met(name, error, IN_MEMORY)
        else:
            self._faults.over(name)
