"""What happened to an attempt, as run.sh has written it line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from runx.disk.look import Look
from runx.states.attempts import Event

Warn = Callable[[str], None]


def events_in(look: Look, name: str, warn: Warn) -> Iterable[Event]:
    """Read what happened; a damaged line costs itself and a warning."""
    lines = (look.content(name) or b"").split(b"\n")[:-1]
    try:
        # Read at once, since a table of ten thousand runs reads them all.
        told = json.loads(b"[%b]" % b",".join(lines))
        return [Event(str(one["event"]), one.get("time"), one) for one in told]
    except (ValueError, TypeError, KeyError):
        return _damaged(f"{look.path}/{name}", lines, warn)


def _damaged(path: str, lines: list[bytes], warn: Warn) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            details = json.loads(line)
            yield Event(str(details["event"]), details.get("time"), details)
        except (ValueError, TypeError, KeyError):
            if line.strip(b"\0 "):
                warn(f"{path}, line {number}: left out, it is damaged")
