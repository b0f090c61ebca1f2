"""logx.json: what logx itself has to remember over a run's attempts."""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import Any

from runx.errors import StoreError
from runx.files import read_json, to_json, write_whole

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
