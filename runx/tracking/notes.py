"""logx.json: what logx itself has to remember over a run's attempts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from runx.errors import LogxError, StoreError
from runx.rundir.files import read_json, to_json, write_whole

WARNINGS = 100
"""How many warnings are kept; the first say what went wrong."""


class Notes:
    """The content of logx.json, read when first asked for and written whole at each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._is_ours = True
        self._content: dict[str, Any] | None = None

    def get(self, key: str) -> Any:
        """Give what was noted under this key, or None."""
        return self._read().get(key)

    def keep(self, **values: Any) -> None:
        """Note these values beside the others; OSError where they can't be written now."""
        with self._lock:
            self._content = {**self._read(), **values}
            if self._is_ours:
                write_whole(self.path, to_json(self._content))

    def forked(self) -> None:
        """Leave the file to the parent process: it has one writer."""
        self._is_ours, self._lock = False, RLock()

    def warn(self, text: str, time: str) -> None:
        """Note a warning, for whoever looks at the run later."""
        earlier = self.get("warnings") or []
        self.keep(warnings=[*earlier, {"time": time, "text": text}][:WARNINGS])

    def _read(self) -> dict[str, Any]:
        if self._content is None:
            self._content = {}
            if self.path.exists():
                try:
                    self._content = read_json(self.path)
                except StoreError:
                    # Damaged: it is kept for people, and begun anew.
                    self.path.replace(f"{self.path}.damaged")
        return self._content


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
