"""Tracebacks in an output: Python's, also those of several ranks, in boxes, cells and groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

TRACE = "Traceback (most recent call last)"
_LINKS = {
    "The above exception was the direct cause of the following exception:": "caused by",
    "During handling of the above exception, another exception occurred:": "while handling",
}
_GROUP = "Exception Group " + TRACE
_IN_GROUP = re.compile(r"\s*[|+]")
_BAR = re.compile(r"\s*\| ?")
_SEPARATOR = re.compile(r"\s*\+[-+]+ (?:\d+|\.\.\.) -+$")
_IS_GROUP = re.compile(r"\(\d+ sub-exceptions?\)$")
_CELL = re.compile(r"(\w[\w.]*)\s{2,}$")
_BOX_TOP, _BOX_BOTTOM = re.compile(r"\s*[╭┌┏+][─━-]"), re.compile(r"\s*[╰└┗+][─━-]+[╯┘┛+]\s*$")
_IGNORED = re.compile(r"Exception ignored|Error in atexit|Error in sys\.excepthook")
_ELSEWHERE = re.compile(r"Exception in thread|Exception in callback")
_VALIDATION = re.compile(r"\d+ validation errors? for")  # pydantic's
_NAME_ALONE = re.compile(r"[\w.]+:$")
_RULE = re.compile(r"[-=─━~_*]{4,}$")
_MOST = 600  # lines of one traceback


class Trace(NamedTuple):
    """A traceback: the lines of its head and of its message, and what is before each of its lines.

    ``origin`` is the message of the exception that it came from, with how. ``is_linked`` where a
    later traceback came from it. One that is ``aside`` did not end its process.
    """

    start: int
    end: int
    prefix: str
    message: str
    origin: str = ""
    is_linked: bool = False
    aside: str = ""


def tracebacks(lines: Sequence[str]) -> list[Trace]:
    """Return the tracebacks in lines of output, those whose message is missing left out."""
    traces: list[Trace] = []
    at = 0
    while at < len(lines):
        trace = _trace(lines, at) if TRACE in lines[at] else None
        if trace is not None:
            _link(lines, traces, trace)
        is_group = trace is not None and _GROUP in lines[at]
        at = trace.end + 1 if trace is not None and is_group else at + 1
    return traces


def _trace(lines: Sequence[str], at: int) -> Trace | None:
    head = lines[at][: lines[at].find(TRACE)]
    if _GROUP in lines[at]:
        return _group(lines, at)
    if _BOX_TOP.match(head):
        return _boxed(lines, at)
    if cell := _CELL.fullmatch(head):
        return _cell(lines, at, cell[1])
    prefix = _prefix(head, lines[at + 1] if at + 1 < len(lines) else "")
    source = ""
    for number in range(at + 1, min(len(lines), at + _MOST)):
        line = _without(prefix, lines[number])
        if line is None or not line.strip() or TRACE in line:
            continue
        if line[0] not in " \t":
            message = whole(lines, number, prefix)
            if message == "AssertionError" and source.startswith("assert "):
                message = f"{message}: {source}"
            return Trace(at, number, prefix, message, aside=_aside(lines, at, prefix))
        source = source if set(line.strip()) <= {"^", "~"} else line.strip()
    return None


def _prefix(head: str, following: str) -> str:
    """Return what each line of a traceback begins with: a rank, a worker, an indentation."""
    if head.lstrip().startswith("traceback :"):  # torchrun's report of an error file
        return "  "
    return head if following.startswith(head) else ""


def _without(prefix: str, line: str) -> str | None:
    """Return a line without its prefix, None where it is of somebody else."""
    if line.startswith(prefix):
        return line[len(prefix) :]
    return "" if line == prefix.rstrip() else None


def whole(lines: Sequence[str], at: int, prefix: str = "") -> str:
    """Return a message, with what follows where its first line says too little.

    >>> whole(["RuntimeError: ", "CUDA error: device-side assert"], 0)
    'RuntimeError: CUDA error: device-side assert'
    """
    message = (_without(prefix, lines[at]) or "").strip()
    following = [_without(prefix, line) or "" for line in lines[at + 1 : at + 9]]
    while _NAME_ALONE.match(message) and following and not following[0].strip():
        del following[0]
    end = next((n for n, line in enumerate(following) if _ends(line)), len(following))
    details = following[:end]
    if details and details[0].strip().startswith("Does not validate against any"):
        details = [max(details, key=lambda line: len(line) - len(line.lstrip()))]
    needed = 1 if message.endswith(":") else 2 if _VALIDATION.search(message) else 0
    return " ".join([message, *(line.strip() for line in details[:needed])])


def _ends(line: str) -> bool:
    return not line.strip() or bool(_RULE.match(line.strip())) or TRACE in line


def _group(lines: Sequence[str], at: int) -> Trace:
    """Return the traceback of an exception group: its first exception, and how many there are."""
    end = at
    while end + 1 < len(lines) and _IN_GROUP.match(lines[end + 1]):
        end += 1
    own, leaves, last = "", list[str](), ""
    for line in (*lines[at + 1 : end + 1], "+- 1 -"):
        if _SEPARATOR.match(line) or not _BAR.match(line):
            if last and not _IS_GROUP.search(last):
                leaves.append(last)
            own, last = own or last, ""
        elif (text := _BAR.sub("", line, count=1)) and text[0] not in " \t" and TRACE not in text:
            last = last if text.strip() in _LINKS else text.strip()
    if not leaves:
        return Trace(at, end, "", own)
    more = f" (and {len(leaves) - 1} more of an exception group)" if len(leaves) > 1 else ""
    return Trace(at, end, "", leaves[0] + more)


def _boxed(lines: Sequence[str], at: int) -> Trace | None:
    """Return a traceback that rich has drawn: its message is below the box, as wide as that."""
    bottom = next((n for n in range(at + 1, len(lines)) if _BOX_BOTTOM.match(lines[n])), len(lines))
    while bottom < len(lines) and _nested(lines[bottom], lines[at]):
        later = range(bottom + 1, len(lines))
        bottom = next((n for n in later if _BOX_BOTTOM.match(lines[n])), len(lines))
    below = [line.strip() for line in lines[bottom + 1 : bottom + 6]]
    message = " ".join(below[: below.index("")] if "" in below else below)
    return Trace(at, bottom + 1, "", message) if message else None


def _nested(bottom: str, top: str) -> bool:
    return len(bottom) - len(bottom.lstrip()) > len(top) - len(top.lstrip())


def _cell(lines: Sequence[str], at: int, name: str) -> Trace | None:
    """Return a traceback of IPython, whose head has the exception's name."""
    start = re.compile(rf"{re.escape(name)}(?::|$)")
    for number in range(at + 1, min(len(lines), at + _MOST)):
        if start.match(lines[number]):
            return Trace(at, number, "", whole(lines, number))
    return None


def _aside(lines: Sequence[str], at: int, prefix: str) -> str:
    before = _without(prefix, lines[at - 1]) if at else None
    if before and _IGNORED.match(before):
        return "ignored"
    return "elsewhere" if before and _ELSEWHERE.match(before) else ""


def _link(lines: Sequence[str], traces: list[Trace], trace: Trace) -> None:
    """Add a traceback, and to it where its exception came from."""
    before = (
        text for line in _upwards(lines, trace.start) if (text := _without(trace.prefix, line))
    )
    relation = _LINKS.get(next((line.strip() for line in before if line.strip()), ""))
    earlier = (n for n in reversed(range(len(traces))) if traces[n].prefix == trace.prefix)
    number = next(earlier, None) if relation else None
    if number is not None:
        first = traces[number]
        traces[number] = first._replace(is_linked=True)
        origin = first.origin or f"{relation} {first.message}"
        if relation == "while handling":
            origin = origin.replace("caused by", relation, 1)
        is_same = first.message == trace.message and not first.origin
        trace = trace._replace(origin="" if is_same else origin, aside=trace.aside or first.aside)
    traces.append(trace)


def _upwards(lines: Sequence[str], at: int) -> Iterator[str]:
    return (lines[number] for number in range(at - 1, max(at - 6, -1), -1))
