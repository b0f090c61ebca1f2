"""What runs have printed: the ends of their logs, and what is added while somebody watches."""

from __future__ import annotations

import os
from pathlib import Path

_BLOCK = 1 << 16


def tail(file: Path, most: int = _BLOCK) -> str:
    """Give the end of a log that may be huge; nothing where there is none yet."""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(size - most, 0))
            return log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def start_of_last(file: Path, lines: int) -> int:
    """Give the place in a log from which its last lines go on, read from its end."""
    try:
        with file.open("rb") as log:
            end = at = log.seek(0, os.SEEK_END)
            wanted = lines + 1
            while at > 0 and wanted > 0:
                begin = max(at - _BLOCK, 0)
                log.seek(begin)
                block = log.read(at - begin)
                if at == end and not block.endswith(b"\n"):
                    wanted -= 1
                while wanted > 0 and (found := block.rfind(b"\n")) >= 0:
                    wanted, at, block = wanted - 1, begin + found + 1, block[:found]
                if wanted > 0:
                    at = begin
            return at if lines else end
    except FileNotFoundError:
        return 0


class Follower:
    """A log read on from a place; each line is given once it is whole, or nobody adds to it."""

    def __init__(self, file: Path, place: int = 0) -> None:
        self.file = file
        self.place = place
        self.rest = b""

    def more(self, last: bool = False) -> list[str]:
        """Give the lines that have been added; ``last`` also gives one that is not ended."""
        try:
            with self.file.open("rb") as log:
                log.seek(self.place)
                added = log.read()
        except FileNotFoundError:
            added = b""
        self.place += len(added)
        *lines, self.rest = (self.rest + added).split(b"\n")
        if last and self.rest:
            lines, self.rest = [*lines, self.rest], b""
        return [line.decode("utf-8", "replace") for line in lines]
