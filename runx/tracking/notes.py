"""logx.json, which keeps values over a run's attempts; and warnings about failed writes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from runx.errors import LogxError, StoreError
from runx.rundir.files import encodable, read_json, to_json, write_whole
from runx.tracking.plain import text_of

WARNINGS = 100
"""How many warnings are kept: the first ones, which show the cause."""


class Notes:
    """The content of logx.json, read when first needed and written at each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._is_ours = True
        self._content: dict[str, Any] | None = None

    def get(self, key: str) -> Any:
        """Return the value of a key, or None."""
        return self._read().get(key)

    def keep(self, **values: Any) -> None:
        """Set values and write the file; raises OSError where it can't be written now."""
        with self._lock:
            self._content = {**self._read(), **values}
            if self._is_ours:
                write_whole(self.path, to_json(self._content))

    def forked(self) -> None:
        """Write no more, in a forked process: the parent is the file's one writer."""
        self._is_ours, self._lock = False, RLock()

    def warn(self, text: str, time: str) -> None:
        """Add a warning, with the time of it."""
        earlier = self.get("warnings") or []
        self.keep(warnings=[*earlier, {"time": time, "text": text}][:WARNINGS])

    def _read(self) -> dict[str, Any]:
        if self._content is None:
            self._content = {}
            if self.path.exists():
                try:
                    self._content = read_json(self.path)
                except StoreError:
                    # Damaged: the file is renamed, for people, and a new one written.
                    self.path.replace(f"{self.path}.damaged")
        return self._content


class Closing(Protocol):
    """A file that keeps lines in memory that it can't write."""

    def close(self) -> None:
        """Write them, or raise OSError; close the file."""

    def pending(self) -> int:
        """Return the number of lines in memory."""


class Faults:
    """Warns of failed writes, once for each file until it succeeds; with ``strict``, raises.

    ``active``: what can't be written at present.
    """

    def __init__(self, notes: Notes, strict: bool) -> None:
        self.active: set[str] = set()
        self._notes, self._strict = notes, strict

    def report(self, what: str, error: Exception, consequence: str = "") -> None:
        """Warn that something can't be written; with ``strict``, raise LogxError."""
        reason = getattr(error, "strerror", None) or text_of(error) or type(error).__name__
        text = f"{what} can't be written: {reason}"
        if self._strict:
            raise LogxError(text) from error
        self.warn_once(what, f"{text}; training goes on{consequence and ', ' + consequence}")

    def resolve(self, what: str) -> None:
        """Warn that something is written again, if it had failed."""
        if what in self.active:
            self.active.discard(what)
            self.warn(f"{what} is written again")

    def close(self, file: Closing) -> None:
        """Close a file; warn of the number of lines that could not be written."""
        try:
            file.close()
        except OSError as error:
            self.warn(f"{file.pending()} lines were never written: {error.strerror}")

    def warn(self, text: str) -> None:
        """Write a warning to stderr and to logx.json."""
        self.say(text)
        try:
            self._notes.warn(text, utc_now())
        except OSError:
            # Written with the next change of the file.
            pass

    def warn_once(self, what: str, text: str) -> None:
        """Write a warning, the first time for something."""
        if what not in self.active:
            self.active.add(what)
            self.warn(text)

    def say(self, text: str, kind: str = "warning: ") -> None:
        """Write a warning, or another remark, to stderr alone."""
        try:
            print(f"logx: {kind}{encodable(text)}", file=sys.stderr, flush=True)
        except (OSError, ValueError):
            # stderr is often a file on the very disk that is full.
            pass


def utc_now() -> str:
    """Return the time in UTC, in the format of JSON files."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
