"""The log that W&B writes of a run, ``run-ID.wandb``: its config, history, name and exit code.

Seven bytes (``:W&B``, a number, a version), then blocks of 32 KiB as LevelDB frames its log: chunks
of checksum, length and type, which make records; each a protocol buffer of wandb_internal.proto.
Whatever is cut off or damaged costs the records from there on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from struct import unpack
from typing import Any, NamedTuple

from runx.rundir.tensorboard import EventError, fields

MAGIC = b":W&B"
_BLOCK, _FILE_HEADER, _CHUNK_HEADER = 1 << 15, 7, 7
_FULL, _FIRST, _LAST = 1, 2, 4
_HISTORY, _CONFIG, _RUN, _EXIT = 2, 5, 17, 18


class Log(NamedTuple):
    """What a log holds. ``damage`` says where it could not be read further, if it couldn't."""

    config: dict[str, Any]
    history: list[dict[str, Any]]
    name: str
    project: str
    started: float | None
    exit_code: int | None
    damage: str


def read_log(content: bytes) -> Log:
    """Return what a log holds, up to its first damaged record."""
    config: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    run: dict[int, int | bytes] = {}
    exit_code, damage = None, ""
    try:
        for record in _records(content):
            for kind, body in fields(record):
                if isinstance(body, int):
                    continue
                if kind == _HISTORY:
                    history.append(dict(_items(body, 1)))
                elif kind == _CONFIG:
                    config.update(_items(body, 1))
                elif kind == _RUN:
                    run.update(fields(body))
                    config.update(_items(_bytes(run.get(4)), 1))
                elif kind == _EXIT:
                    code = dict(fields(body)).get(1, 0)
                    exit_code = code if isinstance(code, int) else None
    except (EventError, ValueError, RecursionError) as error:
        damage = str(error)
    started = dict(fields(_bytes(run.get(17)))).get(1)
    return Log(
        config=config,
        history=history,
        name=_text(run.get(8)) or _text(run.get(1)),
        project=_text(run.get(3)),
        started=float(started) if isinstance(started, int) else None,
        exit_code=exit_code,
        damage=damage,
    )


def _records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a log; raises EventError where it is damaged."""
    if content[:4] != MAGIC:
        raise EventError("it doesn't begin as a log of W&B")
    at = _FILE_HEADER
    parts: list[bytes] = []
    while at < len(content):
        if _BLOCK - at % _BLOCK < _CHUNK_HEADER:
            at += _BLOCK - at % _BLOCK  # zeros fill the block
            continue
        header = content[at + 4 : at + _CHUNK_HEADER]
        size, kind = unpack("<HB", header) if len(header) == 3 else (0, 0)
        start, at = at + _CHUNK_HEADER, at + _CHUNK_HEADER + size
        if not _FULL <= kind <= _LAST or at > len(content):
            raise EventError(f"it ends in the middle of a record, at byte {start}")
        if kind in (_FULL, _FIRST):
            parts = []
        parts.append(content[start:at])
        if kind in (_FULL, _LAST):
            yield b"".join(parts)


def _items(message: bytes, number: int) -> Iterator[tuple[str, Any]]:
    """Yield the names, dotted where nested, and the values of a record's items."""
    for key, body in fields(message):
        if key != number or isinstance(body, int):
            continue
        parts = list(fields(body))
        names = [_text(part) for kind, part in parts if kind in (1, 2)]
        texts = [part for kind, part in parts if kind == 16]
        if names and texts:
            yield ".".join(filter(None, names)), json.loads(_bytes(texts[-1]))


def _bytes(field: int | bytes | None) -> bytes:
    return field if isinstance(field, bytes) else b""


def _text(field: int | bytes | None) -> str:
    return _bytes(field).decode("utf-8", "replace")
