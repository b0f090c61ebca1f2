"""Logs of runs: their last bytes or lines, and the lines that are added later."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runx.rundir.events import read_events
from runx.rundir.files import unblocked
from runx.rundir.paths import RunDir

_BLOCK = 1 << 16
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")


def without_escapes(text: str) -> str:
    r"""Return a terminal's output without colours and other escapes.

    >>> without_escapes("\x1b[31mred\x1b[0m")
    'red'
    """
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def tail(file: Path, size: int = _BLOCK, begin: int = 0) -> str:
    """Return the last bytes of a log after ``begin`` as text; an empty one where there are none."""
    try:
        with open(file, "rb", opener=unblocked) as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(end - size, begin, 0))
            return log.read().decode("utf-8", "replace")
    except OSError:
        return ""


def output_of(run: RunDir, attempt: int | None) -> str:
    """Return the last that an attempt has printed: where it began is in its first event.

    Where that isn't recorded, and of standard error in a file of its own, it is the end.
    """
    events = read_events(run, attempt) if attempt else []
    begin = events[0].details.get("output_from") if events else 0
    output = tail(run.output, begin=begin if isinstance(begin, int) else 0)
    return output + tail(run.path / "errors.log")


def readable(text: str) -> str:
    r"""Return a terminal's output without colours, and only the last state of a progress bar.

    >>> readable("\x1b[31mred\x1b[0m\n10%\r50%\r100%\r\n")
    'red\n100%\n'
    """
    lines = without_escapes(text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def start_of_last(file: Path, lines: int) -> int:
    """Return the position in a log at which its last lines start, found from its end."""
    try:
        with open(file, "rb", opener=unblocked) as log:
            end = at = log.seek(0, os.SEEK_END)
            wanted = lines + 1
            while at > 0 and wanted > 0:
                begin = max(at - _BLOCK, 0)
                log.seek(begin)
                block = log.read(at - begin)
                if at == end and not block.endswith(b"\n"):
                    wanted -= 1
                while wanted > 0 and (newline := block.rfind(b"\n")) >= 0:
                    wanted, at, block = wanted - 1, begin + newline + 1, block[:newline]
                if wanted > 0:
                    at = begin
            return at if lines else end
    except OSError:
        return 0


class Follower:
    """Reads the lines that are added to a log after a position."""

    def __init__(self, file: Path, place: int = 0) -> None:
        self.file = file
        self.place = place
        self._rest = b""

    def new_lines(self, last: bool = False) -> list[str]:
        """Return the lines added since the last call; with ``last``, one without a newline, too."""
        try:
            with open(self.file, "rb", opener=unblocked) as log:
                log.seek(self.place)
                added = log.read()
        except OSError:
            added = b""
        self.place += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        if last and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        return [line.decode("utf-8", "replace") for line in lines]
