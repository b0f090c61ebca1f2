"""TensorBoard's event files read as rows of metrics, where a run has no metrics.csv."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runx.metrics.records import encode

_HEAD, _TAIL = 12, 4
_FLOAT, _DOUBLE = 1, 2


def event_files(folder: Path | str) -> list[Path]:
    """Find the event files of a run, in the order in which TensorBoard reads them."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if "tfevents" in entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Path(folder) / name for name in names]


def as_rows(folder: Path | str, phase: str, warn: Callable[[str], None]) -> bytes:
    """Write what a run's event files say of a phase as rows of metrics.csv.

    ``val/acc`` is acc of val, as logx writes it; a tag without a phase counts as one of val.
    """
    rows: dict[int, tuple[float, dict[str, Any]]] = {}
    first = None
    for file in event_files(folder):
        for time, step, tag, value in _scalars(file, warn):
            first = time if first is None else min(first, time)
            before, slash, name = tag.partition("/")
            own = before if slash and before in ("train", "val", "test") else ""
            if (own or "val") == phase:
                _, metrics = rows.get(step, (time, {}))
                rows[step] = (time, {**metrics, name if own else tag: value})
    lines = [encode("start", {"start/step": 0}, None, first)] if rows else []
    lines += [encode(phase, rows[step][1], step, rows[step][0]) for step in sorted(rows)]
    return "".join(lines).encode()


def _scalars(file: Path, warn: Callable[[str], None]) -> Iterator[tuple[float, int, str, float]]:
    """Give time, step, tag and value of every scalar; a torn end costs itself and a warning."""
    from google.protobuf.message import DecodeError
    from tensorboardX.proto.event_pb2 import Event

    content = file.read_bytes()
    at = 0
    while at < len(content):
        begin = at + _HEAD
        size = struct.unpack_from("<Q", content, at)[0] if begin <= len(content) else len(content)
        at = begin + size + _TAIL
        try:
            if at > len(content):
                raise DecodeError("it ends in the middle of an event")
            event = Event.FromString(content[begin : begin + size])
        except DecodeError as error:
            warn(f"{file}: read up to byte {begin - _HEAD}: {error}")
            return
        for value in event.summary.value:
            if (number := _number(value)) is not None:
                yield event.wall_time, event.step, value.tag, number


def _number(value: Any) -> float | None:
    """Give a scalar, in the form that torch writes or in TensorFlow's."""
    if value.HasField("simple_value"):
        return float(f"{value.simple_value:.7g}")
    tensor = value.tensor
    if tensor.float_val:
        return float(tensor.float_val[0])
    if tensor.dtype in (_FLOAT, _DOUBLE) and not tensor.tensor_shape.dim:
        kind = "<f" if tensor.dtype == _FLOAT else "<d"
        if len(tensor.tensor_content) == struct.calcsize(kind):
            return float(struct.unpack(kind, tensor.tensor_content)[0])
    return None
