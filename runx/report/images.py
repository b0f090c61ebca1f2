"""Images that a run has logged: those in its TensorBoard files, and image files it has kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from runx.rundir import RunDir

PER_RUN = 12
"""How many images of a run are shown; of each name the last."""
LARGEST = 400_000
"""Images above this many bytes are named, not shown."""
KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")

Field: TypeAlias = "tuple[int, int | bytes]"


class Image(NamedTuple):
    """An image as it was logged: its name, the step, and the file's bytes."""

    name: str
    step: int
    content: bytes


def images(run: RunDir) -> list[Image]:
    """Give the latest image of each name that a run has logged, by name."""
    found: dict[str, Image] = {}
    for file in sorted(run.path.glob("events.out.tfevents.*")):
        found.update({image.name: image for image in logged(file)})
    for file in sorted(run.artifacts.rglob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file() and file.stat().st_size <= LARGEST:
            name = file.relative_to(run.artifacts).as_posix()
            found[name] = Image(name, 0, file.read_bytes())
    return [found[name] for name in sorted(found)][:PER_RUN]


def source(image: Image) -> str | None:
    """Write an image as an address that holds it; None for what a browser may not show.

    >>> source(Image("a", 0, b"GIF89a"))
    'data:image/gif;base64,R0lGODlh'
    >>> source(Image("a", 0, b"<svg>"))
    """
    kind = next((kind for mark, kind in KINDS.items() if image.content.startswith(mark)), None)
    if kind is None:
        return None
    return f"data:{kind};base64,{base64.b64encode(image.content).decode('ascii')}"


def logged(file: Path) -> Iterator[Image]:
    """Give the images of a TensorBoard file that are small enough to show."""
    with file.open("rb") as events:
        for event in frames(events.read()):
            if any(mark in event for mark in KINDS):
                yield from _images(event)


def frames(content: bytes) -> Iterator[bytes]:
    """Give the events of a file of TFRecords; one that is not all there ends it."""
    at = 0
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        event = content[at + 12 : at + 12 + size]
        if len(event) < size:
            return
        yield event
        at += size + 16


def _images(event: bytes) -> Iterator[Image]:
    """Find the images in an event: event.summary.value[].image.encoded_image_string."""
    step = 0
    try:
        for number, value in fields(event):
            if number == 2 and isinstance(value, int):
                step = value
            elif number == 5 and isinstance(value, bytes):
                for one, inner in fields(value):
                    if one == 1 and isinstance(inner, bytes):
                        yield from _image(inner, step)
    except IndexError:
        # No event of TensorBoard's: whoever wrote it, nothing in it can be shown.
        return


def _image(value: bytes, step: int) -> Iterator[Image]:
    parts = dict(fields(value))
    tag, image = parts.get(1), parts.get(4)
    if isinstance(tag, bytes) and isinstance(image, bytes):
        content = dict(fields(image)).get(4)
        if isinstance(content, bytes) and len(content) <= LARGEST:
            yield Image(tag.decode("utf-8", "replace"), step, content)


def fields(message: bytes) -> Iterator[Field]:
    """Give the fields of a protocol buffer: numbers, and what is written with a length.

    >>> list(fields(bytes.fromhex("08960112026869")))
    [(1, 150), (2, b'hi')]
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 2:
            size, at = _varint(message, at)
            yield number, message[at : at + size]
            at += size
        else:
            at += {1: 8, 5: 4}.get(kind, len(message))


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
