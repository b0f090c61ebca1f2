"""What happens when something can't be written: one loud warning, a note, and on it goes."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from runx.errors import LogxError
from runx.training.notes import Notes


class Closing(Protocol):
    """What keeps in memory what it can't write."""

    def close(self) -> None:
        """Write it or raise OSError."""

    def waiting(self) -> int:
        """Count what is in memory."""


class Faults:
    """Tells of each fault once until it is over; with ``strict``, raises instead."""

    def __init__(self, notes: Notes, strict: bool) -> None:
        self.standing: set[str] = set()
        self._notes, self._strict = notes, strict

    def met(self, what: str, error: Exception, then: str = "") -> None:
        """Tell that something can't be written now, and what is done about it."""
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        text = f"{what} can't be written: {reason}"
        if self._strict:
            raise LogxError(text) from error
        if what not in self.standing:
            self.standing.add(what)
            self.warn(f"{text}; training goes on{then and ', ' + then}")

    def over(self, what: str) -> None:
        """Tell that it is written again."""
        if what in self.standing:
            self.standing.discard(what)
            self.warn(f"{what} is written again")

    def closing(self, file: Closing) -> None:
        """Close a file; what can't be written any more is counted and told."""
        try:
            file.close()
        except OSError as error:
            self.warn(f"{file.waiting()} lines were never written: {error.strerror}")

    def warn(self, text: str) -> None:
        """Tell something once on stderr and in logx.json."""
        try:
            print(f"logx: warning: {text}", file=sys.stderr, flush=True)
        except (OSError, ValueError):
            # stderr is often a file on the very disk that is full.
            pass
        try:
            self._notes.warn(text, utc_now())
        except OSError:
            # Noted with the next thing that can be written there.
            pass


def utc_now() -> str:
    """Give the time as files have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
