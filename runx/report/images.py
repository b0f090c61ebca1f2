"""Images that a run has logged: those in its TensorBoard files, and image files it has kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runx.disk.tensorboard import EventError, decoded, frames, image_of
from runx.rundir import RunDir

PER_RUN = 12
"""How many images of a run are shown; of each name the last."""
LARGEST = 400_000
"""Images above this many bytes are named, not shown."""
KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")


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
    try:
        for event, _ in frames(file.read_bytes()):
            if any(mark in event for mark in KINDS):
                yield from _images(event)
    except EventError:
        return  # An event that is not all there ends the file.


def _images(event: bytes) -> Iterator[Image]:
    try:
        _, step, values = decoded(event)
        for tag, content in filter(None, map(image_of, values)):
            if len(content) <= LARGEST:
                yield Image(tag, step, content)
    except EventError:
        return  # No event of TensorBoard's: whoever wrote it, nothing in it can be shown.
