"""Everything about one run that its panel shows beyond what it has measured."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from runx.disk.output import tail
from runx.disk.record import code_digests, launch_of, read_or_empty
from runx.errors import StoreError
from runx.report.images import images, source
from runx.rundir import RunDir
from runx.states.attempts import Attempt
from runx.types import RunRecord

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
