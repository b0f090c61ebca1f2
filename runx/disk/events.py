"""The events of an attempt, one JSON object a line, as run.sh writes them to events.jsonl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runx.rundir import RunDir
from runx.states.attempts import Event

Warn = Callable[[str], None]


def read_events(run: RunDir, attempt: int, warn: Warn = lambda line: None) -> list[Event]:
    """Return the events of an attempt, none where its file isn't there."""
    file: Path = run.events(attempt)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    return list(parse_events(content, str(file), warn))


def parse_events(content: bytes, path: str, warn: Warn) -> Iterable[Event]:
    """Return the events in a file's content; a damaged line costs itself and a warning.

    A last line without its newline is still being written, and is left out.
    """
    lines = content.split(b"\n")[:-1]
    try:
        # Parsed at once, since a table of ten thousand runs reads them all.
        objects = json.loads(b"[%b]" % b",".join(lines))
        return [Event(str(each["event"]), each.get("time"), each) for each in objects]
    except (ValueError, TypeError, KeyError):
        return _whole_lines(lines, path, warn)


def _whole_lines(lines: list[bytes], path: str, warn: Warn) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            details = json.loads(line)
            yield Event(str(details["event"]), details.get("time"), details)
        except (ValueError, TypeError, KeyError):
            if line.strip(b"\0 "):
                warn(f"{path}, line {number}: left out, it is damaged")
