"""Encoding and decoding of TensorBoard's event files: protocol buffers in TFRecords.

Without tensorboardX, whose import training scripts are spared: for scalars this is short, and
several times faster than general classes. The messages are those of TensorFlow's event.proto,
summary.proto and tensor.proto, the frames those of its record_writer.h.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import calcsize, pack, unpack

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


FLOAT_MAX = 3.4028234663852886e38
VERSION = b"\x1a\x0dbrain.Event:2"
"""The field file_version, which the first event of a file holds."""


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)


TABLE = _table()
"""CRC-32C (Castagnoli), byte by byte."""


def masked_crc(data: bytes) -> bytes:
    """Return the checksum of TFRecords.

    >>> masked_crc(b"123456789").hex()
    'e5b08ac7'
    """
    crc, table = 0xFFFFFFFF, TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(event: bytes) -> bytes:
    """Return an event as a TFRecord: length, its checksum, the event, its checksum."""
    length = pack("<Q", len(event))
    return b"".join((length, masked_crc(length), event, masked_crc(event)))


def varint(number: int) -> bytes:
    """Return an integer as a varint of protocol buffers, a negative one as 64 bits.

    >>> varint(300).hex()
    'ac02'
    """
    number &= 0xFFFFFFFFFFFFFFFF
    if number < 128:
        return bytes((number,))
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def version(wall_time: float) -> bytes:
    """Return the event that begins a file."""
    return framed(b"\x09" + pack("<d", wall_time) + VERSION)


def session_start(step: int, wall_time: float) -> bytes:
    """Return the event by which readers drop what stands before it of this step and later ones.

    It is a SessionLog with the status START.
    """
    return framed(b"\x09" + pack("<d", wall_time) + b"\x10" + varint(step) + b"\x3a\x02\x08\x01")


def scalars(values: Iterable[tuple[bytes, float]], step: int, wall_time: float) -> bytes:
    """Return an event with scalars, each a value and the bytes that ``tag`` returns."""
    summary = b"".join([tag + pack("<f", value) for tag, value in values])
    head = b"\x09" + pack("<d", wall_time) + b"\x10" + varint(step)
    return framed(b"".join((head, b"\x2a", varint(len(summary)), summary)))


def tag(name: str) -> bytes:
    """Return the bytes of a Summary.Value before the four bytes of its float."""
    text = name.encode("utf-8", "replace")
    field = b"\x0a" + varint(len(text)) + text + b"\x15"
    return b"\x0a" + varint(len(field) + 4) + field


def single(value: float) -> float:
    """Return a number as a float that 32 bits can hold; larger ones are infinite.

    >>> single(1e300)
    inf
    """
    try:
        value = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    if -FLOAT_MAX <= value <= FLOAT_MAX or value != value:
        return value
    return float("inf") if value > 0 else float("-inf")


class EventError(ValueError):
    """An event is damaged or cut off."""


def frames(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each event of a file and the position after it; checksums are not verified.

    Raises EventError where the last event is cut off.
    """
    end = 0
    while end < len(content):
        start = end + _HEAD
        size = int.from_bytes(content[end : end + 8], "little")
        end = start + size + _TAIL
        if end > len(content):
            raise EventError("it ends in the middle of an event")
        yield content[start : start + size], end


_HEAD, _TAIL = 12, 4  # bytes of the length and its checksum, and of the event's checksum


def decoded(event: bytes) -> tuple[float, int, list[bytes]]:
    """Return an event's time, step and values, which ``scalar_of`` and ``image_of`` decode.

    >>> time, step, values = decoded(scalars([(tag("acc"), 0.5)], 3, 1.5)[12:-4])
    >>> time, step, [scalar_of(value) for value in values]
    (1.5, 3, [('acc', 0.5)])
    """
    time, step, values = 0.0, 0, []
    for number, field in fields(event):
        if number == 1 and len(_bytes(field)) == 8:
            [time] = unpack("<d", _bytes(field))
        elif number == 2 and isinstance(field, int):
            step = field - (1 << 64) if field >> 63 else field
        elif number == 5:
            values += [_bytes(value) for key, value in fields(_bytes(field)) if key == 1]
    return time, step, values


def scalar_of(value: bytes) -> tuple[str, float] | None:
    """Return the tag and number of a value as torch or TensorFlow writes it, None of others."""
    parts = dict(fields(value))
    if 2 in parts:
        number = _number("<f", _bytes(parts[2]))
    else:
        number = _tensor_value(dict(fields(_bytes(parts.get(8, b"")))))
    return None if number is None else (_tag(parts), number)


def image_of(value: bytes) -> tuple[str, bytes] | None:
    """Return the tag of a value that is an image, and the content of its file; else None."""
    parts = dict(fields(value))
    content = dict(fields(_bytes(parts.get(4, b"")))).get(4)
    return None if content is None else (_tag(parts), _bytes(content))


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and content of each field of a protocol buffer: integers, or bytes.

    Raises EventError where the message is damaged.

    >>> list(fields(bytes.fromhex("08960112026869")))
    [(1, 150), (2, b'hi')]
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint_at(message, at)
        kind = key & 7
        if kind == 0:
            number, at = _varint_at(message, at)
            yield key >> 3, number
            continue
        if kind == 2:
            size, at = _varint_at(message, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise EventError(f"a field of kind {kind}, which there is not")
        if at + size > end:
            raise EventError("a field is longer than what it is in")
        yield key >> 3, message[at : at + size]
        at += size


_FIXED = {1: 8, 5: 4}


def _varint_at(message: bytes, at: int) -> tuple[int, int]:
    """Return the integer at a position, and the position after it."""
    if at < len(message) and message[at] < 128:  # Most are.
        return message[at], at + 1
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
    raise EventError("it ends in the middle of a number, or that is longer than 64 bits")


def _bytes(field: int | bytes) -> bytes:
    if isinstance(field, int):
        raise EventError("a number where a message is due")
    return field


def _tag(parts: dict[int, int | bytes]) -> str:
    return _bytes(parts.get(1, b"")).decode("utf-8", "replace")


def _tensor_value(tensor: dict[int, int | bytes]) -> float | None:
    """Return the number in a tensor: the first of its floats, or bytes without dimensions."""
    if 5 in tensor:
        return _number("<f", _bytes(tensor[5])[:4])
    form = _FORMS.get(tensor.get(1))
    if form is None or tensor.get(2):
        return None
    return _number(form, _bytes(tensor.get(4, b"")))


_FORMS: dict[object, str] = {1: "<f", 2: "<d"}
"""The struct formats of TensorFlow's DT_FLOAT and DT_DOUBLE."""


def _number(form: str, content: bytes) -> float | None:
    """Return an unpacked number, a 32-bit one rounded to its 7 digits; None of another size."""
    if len(content) != calcsize(form):
        return None
    [number] = unpack(form, content)
    return float(f"{number:.7g}") if form == "<f" else float(number)


def event_files(folder: Path | str) -> list[Path]:
    """Return the event files of a run, in the order in which TensorBoard reads them."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if "tfevents" in entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Path(folder) / name for name in names]
