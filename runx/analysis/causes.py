"""Why a script failed, by what it has printed: the line that says what went wrong. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runx.analysis.complaints import AFTERMATH, FOLLOWED, complaint, complaints, root_causes
from runx.analysis.tracebacks import TRACE, Trace, tracebacks
from runx.rundir.output import readable

LONGEST = 160
"""The length, in characters, at which a message is cut off."""
_STALE = 40  # lines of ordinary output after a complaint: the script has gone on since
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ?")
_NUMBERS = re.compile(
    r"0x[0-9a-fA-F]+|\b(?=[a-f]*\d)[0-9a-f]{7,}\b|\btmp[a-z0-9_]{8}\b|\d[\d.,:e+-]*"
)


class Cause(NamedTuple):
    """The message of what went wrong, and where that came from, if it says so."""

    message: str
    origin: str = ""

    def __str__(self) -> str:
        origin = f" ({self.origin[:LONGEST]})" if self.origin else ""
        return self.message[:LONGEST] + origin

    @property
    def key(self) -> str:
        """What causes have in common that differ in numbers, addresses and random names alone."""
        return _NUMBERS.sub("#", f"{self.message} ({self.origin})")


class _Found(NamedTuple):
    """A candidate. Of equal weight the later one counts, and a traceback more than its line."""

    weight: int
    at: int
    is_trace: bool
    cause: Cause
    prefix: str = ""


def cause_of(output: str) -> Cause | None:
    r"""Return what went wrong, None where the output doesn't say.

    >>> str(cause_of("Traceback (most recent call last):\n  File \"a\"\nKeyError: 'lr'\nbye\n"))
    "KeyError: 'lr'"
    """
    lines = readable_lines(output)
    found = list(_candidates(lines))
    if not found:
        return None
    best = max(found)
    if root := _root_rank(lines):
        of_root = [each for each in found if root in each.prefix and each.weight == best.weight]
        best = max(of_root, default=best)
    is_last = best.at == max(each.at for each in found)
    return None if is_last and _goes_on(lines[best.at + 1 :]) else best.cause


def last_words(output: str) -> str:
    """Return the last line of an output that is neither empty nor mere aftermath of a failure."""
    lines = [line.strip() for line in readable_lines(output) if line.strip()]
    telling = (line for line in reversed(lines) if not AFTERMATH.match(line))
    return next(telling, lines[-1] if lines else "")


def readable_lines(output: str) -> list[str]:
    """Return lines without colours, overwritten progress and times; JSON lines as their text."""
    lines: list[str] = []
    for line in readable(output).split("\n"):
        text = _STAMP.sub("", line)
        lines += _of_json(text) if text[:1] == "{" else [text]
    return lines


def _of_json(line: str) -> list[str]:
    """Return the traceback in a log line of JSON, or its level and message."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return [line]
    if not isinstance(entry, dict):
        return [line]
    texts = {str(name).lower(): each for name, each in entry.items() if isinstance(each, str)}
    if trace := next((text for text in texts.values() if TRACE in text), ""):
        return trace.splitlines()
    said = next((texts[name] for name in ("message", "msg", "event") if name in texts), line)
    return [f"{level.upper()} {said}" if (level := texts.get("level", "")) else said]


def _candidates(lines: Sequence[str]) -> Iterator[_Found]:
    traces = tracebacks(lines)
    taken = {trace.end for trace in traces}
    for trace in traces:
        if not trace.is_linked and trace.aside != "ignored":
            yield _of_trace(trace)
    for each in complaints(lines):
        if each.at not in taken:
            yield _Found(each.weight, each.at, False, Cause(each.message))


def _of_trace(trace: Trace) -> _Found:
    said = complaint(trace.end, 2, trace.message)
    weight = min(said.weight, FOLLOWED) if trace.aside else said.weight
    return _Found(weight, trace.end, True, Cause(trace.message, trace.origin), trace.prefix)


def _root_rank(lines: Sequence[str]) -> str:
    """Return how lines of the rank begin that torchrun saw fail first."""
    _, report = next(root_causes(lines), (0, {}))
    rank = report.get("rank", "").partition(" ")[0]
    return f"[rank{rank}]" if rank else ""


def _goes_on(lines: Sequence[str]) -> bool:
    """Return whether a script has gone on for a while: it has survived what it complained of."""
    solid = (line for line in lines if line.strip() and line[0] not in " \t[")
    return sum(1 for line in solid if not AFTERMATH.match(line)) > _STALE
