"""Folders of TensorBoard's event files, with what its plugin for hyperparameters keeps in them.

A session of the plugin is an event with the hyperparameters at its start, and one with a status at
its end: SessionStartInfo and SessionEndInfo of tensorboard/plugins/hparams/plugin_data.proto.
torch's ``add_hparams`` writes each to a folder of its own below the writer's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from struct import unpack
from typing import Any, NamedTuple

from runx.readers.base import DirReader, FoundRun, Row, Warn
from runx.readers.content import ContentError, content
from runx.readers.files import DEEPEST
from runx.readers.measured import rows_beneath
from runx.rundir.tensorboard import EventError, decoded, event_files, fields, frames

_PLUGIN = b"hparams"
_PHASES = ("train", "validation", "val", "test")
_STATES = {1: "done", 2: "failed"}


class Session(NamedTuple):
    """What the plugin keeps of a run: its hyperparameters, state, start and end."""

    hparams: dict[str, Any]
    state: str = "unknown"
    started: float | None = None
    ended: float | None = None


def _is_run(folder: Path) -> bool:
    # The callback of Keras writes to a folder for each phase.
    return any(event_files(f"{folder}/{inside}") for inside in ("", *_PHASES))


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    own = _session(folder, warn)
    beneath = [(inner, _session(inner, warn)) for inner in _folders(folder)]
    sessions = [(inner, session) for inner, session in beneath if session]
    if own is None and len(sessions) == 1:
        own, sessions = sessions[0][1], []
    # With sessions below it, those have folders of their own.
    rows = rows_beneath(folder, warn, deepest=0 if sessions else DEEPEST)
    if rows or own or not sessions:
        yield _found(folder, own or Session({}), rows)
    for inner, session in sessions:
        yield _found(inner, session, rows_beneath(inner, warn))


def _found(folder: Path, session: Session, rows: list[Row]) -> FoundRun:
    return FoundRun(
        name=folder.name,
        path=folder,
        hparams=session.hparams,
        rows=rows,
        state=session.state,
        started=session.started,
        ended=session.ended,
    )


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, those behind links left out."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    return [folder / name for name in names]


def _session(folder: Path, warn: Warn) -> Session | None:
    """Return what the plugin keeps in the event files of a folder itself, None where nothing."""
    session = None
    for file in event_files(folder):
        for data in _plugin_data(file, warn):
            session = _updated(session or Session({}), data)
    return session


def _plugin_data(file: Path, warn: Warn) -> Iterator[dict[int, int | bytes]]:
    """Yield each HParamsPluginData in an event file."""
    try:
        raw = content(file)
        if _PLUGIN not in raw:
            return
        for event, _ in frames(raw):
            for value in decoded(event)[2] if _PLUGIN in event else ():
                plugin = _inner(_inner(dict(fields(value)), 9), 1)
                if plugin.get(1) == _PLUGIN:
                    yield _inner(plugin, 2)
    except EventError:
        return  # Whoever reads the scalars warns of it.
    except ContentError as error:
        warn(str(error))


def _updated(session: Session, data: dict[int, int | bytes]) -> Session:
    if 3 in data:
        entries = [value for key, value in fields(_bytes(data[3])) if key == 1]
        pairs = (dict(fields(_bytes(entry))) for entry in entries)
        hparams = {_bytes(pair.get(1)).decode("utf-8", "replace"): _value(pair) for pair in pairs}
        return session._replace(hparams=hparams, started=_double(_inner(data, 3).get(5)))
    if 4 in data:
        end = _inner(data, 4)
        status = end.get(1, 0)
        state = _STATES.get(status, "unknown") if isinstance(status, int) else "unknown"
        return session._replace(state=state, ended=_double(end.get(2)))
    return session


def _value(pair: dict[int, int | bytes]) -> Any:
    """Return the value in an entry of a map: a number, a text or a truth value."""
    for kind, value in _inner(pair, 2).items():
        if kind == 2:
            number = _double(value)
            return int(number) if number is not None and number.is_integer() else number
        if kind == 3:
            return _bytes(value).decode("utf-8", "replace")
        if kind == 4:
            return bool(value)
    return None


def _inner(message: dict[int, int | bytes], number: int) -> dict[int, int | bytes]:
    return dict(fields(_bytes(message.get(number))))


def _bytes(field: int | bytes | None) -> bytes:
    return field if isinstance(field, bytes) else b""


def _double(field: int | bytes | None) -> float | None:
    raw = _bytes(field)
    return float(unpack("<d", raw)[0]) if len(raw) == 8 else None


READER = DirReader("tensorboard", _is_run, _read, "events.out.tfevents.*")
