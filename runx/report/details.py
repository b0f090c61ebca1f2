"""What the page shows of one run beside its metrics: command, attempts, log, images, files."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.failures import cause_in
from runx.rundir.output import readable, tail
from runx.rundir.paths import RunDir
from runx.rundir.record import launch_of, read_or_empty
from runx.rundir.run import OWN_TOOL, RunRecord
from runx.rundir.tensorboard import EventError, decoded, frames, image_of

LOG = 6_000
"""Bytes of a log's end that a report holds."""

ARTIFACTS = 200
"""Files of a run that are listed."""

PER_RUN = 12
"""Images of a run that are shown; of each name the last."""

LARGEST = 400_000
"""Bytes of an image that is shown; larger ones are left out."""

KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
"""The first bytes of the images that a browser may show, and their media types."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")

_TRAIN = re.compile(r"^train\(\) \{\n(?:exec )?(.*?)\n\}$", re.MULTILINE | re.DOTALL)

Warn = Callable[[str], None]


def details(record: RunRecord, warn: Warn) -> dict[str, Any]:
    """Return what run.json, the launch and the run's other files hold, for the run's panel."""
    run = record.dir
    # Sacred has a run.json, too.
    content = read_or_empty(run.record, warn) if record.tool == OWN_TOOL else {}
    launch = launch_of(run, content, warn)
    return {
        "id": content.get("id"),
        "command": command(run, content),
        "git": launch.get("git"),
        "note": launch.get("note") or "",
        "cause": cause_in(record),
        "log": log_end(run),
        "images": [
            {"name": image.name, "step": image.step, "src": src}
            for image in images(run)
            if (src := data_url(image))
        ],
        "artifacts": artifacts(run),
    }


def command(run: RunDir, record: dict[str, Any]) -> str:
    """Return the training command as run.sh executes it; without a run.sh, that of run.json."""
    if run.script.exists():
        text = run.script.read_text(encoding="utf-8", errors="replace")
        match = _TRAIN.search(text)
        if match:
            return match[1].strip()
    return str(record.get("cmd") or "")


def log_end(run: RunDir, most: int = LOG) -> str:
    """Return the last whole lines of a run's output as readable text, at most ``most`` bytes."""
    text = readable(tail(run.output, most + 1))
    is_cut = run.output.exists() and run.output.stat().st_size > most
    return text.partition("\n")[2] if is_cut and "\n" in text else text


def artifacts(run: RunDir) -> list[dict[str, Any]]:
    """Return the names and sizes (bytes) of a run's artifacts and checkpoints."""
    own = [file for file in sorted(run.artifacts.rglob("*")) if file.is_file()]
    files = [*own, *sorted(run.path.glob("*.pth"))]
    return [
        {"name": file.relative_to(run.path).as_posix(), "bytes": file.stat().st_size}
        for file in files[:ARTIFACTS]
    ]


class Image(NamedTuple):
    """An image as it was logged: its name, the step, and the file's bytes."""

    name: str
    step: int
    content: bytes


def images(run: RunDir) -> list[Image]:
    """Return the last image of each name in a run's TensorBoard files and artifacts, by name."""
    by_name: dict[str, Image] = {}
    for file in sorted(run.path.glob("events.out.tfevents.*")):
        by_name.update({image.name: image for image in logged_images(file)})
    for file in sorted(run.artifacts.rglob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file() and file.stat().st_size <= LARGEST:
            name = file.relative_to(run.artifacts).as_posix()
            by_name[name] = Image(name, 0, file.read_bytes())
    return [by_name[name] for name in sorted(by_name)][:PER_RUN]


def data_url(image: Image) -> str | None:
    """Return a data: URL with an image; None for content that a browser may not show.

    >>> data_url(Image("a", 0, b"GIF89a"))
    'data:image/gif;base64,R0lGODlh'
    >>> data_url(Image("a", 0, b"<svg>"))
    """
    kind = next((kind for start, kind in KINDS.items() if image.content.startswith(start)), None)
    if kind is None:
        return None
    return f"data:{kind};base64,{base64.b64encode(image.content).decode('ascii')}"


def logged_images(file: Path) -> Iterator[Image]:
    """Yield the images of a TensorBoard file that are small enough to show."""
    try:
        for event, _ in frames(file.read_bytes()):
            if any(start in event for start in KINDS):
                yield from _images_of(event)
    except EventError:
        return  # The file ends within an event.


def _images_of(event: bytes) -> Iterator[Image]:
    try:
        _, step, values = decoded(event)
        for tag, content in filter(None, map(image_of, values)):
            if len(content) <= LARGEST:
                yield Image(tag, step, content)
    except EventError:
        return  # Another program's event.
