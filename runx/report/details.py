"""Images that a run has logged: those in its TensorBoard files, and image files it has kept."""

from __future__ import annotations

import base64
import difflib
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runx.errors import StoreError
from runx.rundir.events import Attempt
from runx.rundir.output import tail
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.record import code_digests, launch_of, read_or_empty
from runx.rundir.run import RunRecord
from runx.rundir.tensorboard import EventError, decoded, frames, image_of

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


MOST_LINES = 1_500


LARGEST_FILE = 300_000


PAIRED = 4
"""Up to so many different codes are compared each with each; of more, all with the best run's."""


_UNCODED = frozenset({"__pycache__"})


def diffs(trees: Mapping[str, Path], best: str | None) -> dict[str, str]:
    """Compare codes, each named by its digest: ``a..b`` to what leads from a to b."""
    if len(trees) <= PAIRED:
        pairs = list(itertools.permutations(trees, 2))
    else:
        pairs = [(best, other) for other in trees if best in trees and other != best]  # type: ignore[misc]
    return {f"{one}..{other}": tree_diff(trees[one], trees[other]) for one, other in pairs}


def tree_of(experiment: ExperimentDir, run: RunDir, digest: str) -> Path | None:
    """Find code by its digest: frozen, or as the run has it."""
    places = (experiment.code / digest / "tree", run.code)
    return next((place for place in places if place.is_dir()), None)


def tree_diff(one: Path, other: Path) -> str:
    """Write the differences between two folders as a patch for people, shortened if need be."""
    before, after = _files(one), _files(other)
    lines: list[str] = []
    for name in sorted(before | after):
        lines += _file_diff(name, one / name, other / name, name in before, name in after)
        if len(lines) > MOST_LINES:
            return "\n".join([*lines[:MOST_LINES], "... there is more"])
    return "\n".join(lines)


def _files(tree: Path) -> set[str]:
    return {
        path.relative_to(tree).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and not _UNCODED & set(path.parts)
    }


def _file_diff(
    name: str, one: Path, other: Path, before: bool, after: bool
) -> Iterator[str] | list[str]:
    old, new = (_content(one) if before else b""), (_content(other) if after else b"")
    if old == new and before == after:
        return []
    if old is None or new is None or b"\0" in old + new:
        return [f"{name}: differs; it is too large, or no text"]
    return difflib.unified_diff(
        _lines(old),
        _lines(new),
        f"a/{name}" if before else "/dev/null",
        f"b/{name}" if after else "/dev/null",
        lineterm="",
    )


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.stat().st_size <= LARGEST_FILE else None


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def distinct(digests: Collection[str | None]) -> list[str]:
    """Name each code once, in order.

    >>> distinct(["b", None, "a", "b"])
    ['b', 'a']
    """
    return [digest for digest in dict.fromkeys(digests) if digest]


LOG = 6_000
"""Bytes of a log's end that a report holds."""


ARTIFACTS = 200


_TRAIN = re.compile(r"^train\(\) \{\n(?:exec )?(.*?)\n\}$", re.MULTILINE | re.DOTALL)


_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")


Warn = Callable[[str], None]


def about(record: RunRecord, warn: Warn) -> dict[str, Any]:
    """Return what a run is and what it left behind."""
    run = record.dir
    made = read_or_empty(run.record, warn)
    launch = launch_of(run, made, warn)
    return {
        "id": made.get("id"),
        "tag": made.get("tag") or "",
        "command": command(run, made),
        "digest": digest(run, made),
        "git": launch.get("git"),
        "note": launch.get("note") or "",
        "resources": made.get("resources") or {},
        "dir": str(run.path),
        "log": log_end(run),
        "images": [
            {"name": image.name, "step": image.step, "src": shown}
            for image in images(run)
            if (shown := source(image))
        ],
        "artifacts": artifacts(run),
    }


def command(run: RunDir, made: dict[str, Any]) -> str:
    """Give the training command as run.sh executes it; without a run.sh what is known of it."""
    if run.script.exists():
        text = run.script.read_text(encoding="utf-8", errors="replace")
        found = _TRAIN.search(text)
        if found:
            return found[1].strip()
    return str(made.get("cmd") or "")


def digest(run: RunDir, made: dict[str, Any]) -> str | None:
    """Return the digest of the code that the last attempt ran: a restaged one has its own."""
    try:
        return next(code_digests(run), None)
    except StoreError:
        code = made.get("code")
        return str(code) if code else None


def attempt(one: Attempt) -> dict[str, Any]:
    """Return how an attempt went, in the order in which it is shown."""
    started, ended = one.event("started"), one.event("ended")
    return {
        "number": one.number,
        "host": one.host,
        "farm": one.farm,
        "job": one.job_id,
        "started": started.time if started else None,
        "ended": ended.time if ended else None,
        "code": ended.details.get("code") if ended else None,
        "order": one.order,
    }


def log_end(run: RunDir, most: int = LOG) -> str:
    """Give the end of a run's output, as a terminal would have shown it."""
    text = readable(tail(run.output, most + 1))
    cut = run.output.exists() and run.output.stat().st_size > most
    return text.partition("\n")[2] if cut and "\n" in text else text


def readable(text: str) -> str:
    r"""Leave out colours, and of a line that was drawn again and again all but the last.

    >>> readable("\x1b[31mred\x1b[0m\n10%\r50%\r100%\r\n")
    'red\n100%\n'
    """
    lines = _ESCAPES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def artifacts(run: RunDir) -> list[dict[str, Any]]:
    """Name what a run has kept, with its size, and its checkpoints."""
    kept = [file for file in sorted(run.artifacts.rglob("*")) if file.is_file()]
    files = [*kept, *sorted(run.path.glob("*.pth"))]
    return [
        {"name": file.relative_to(run.path).as_posix(), "bytes": file.stat().st_size}
        for file in files[:ARTIFACTS]
    ]
