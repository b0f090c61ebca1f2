"""Guild's folders, ``~/.guild/runs/ID``: flags and states in ``.guild/attrs``, events beneath."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runx.readers.base import DirReader, FoundRun, Warn
from runx.readers.content import ContentError, is_file, text, yaml_value
from runx.readers.measured import rows_beneath
from runx.rundir.record import dotted


def _is_run(folder: Path) -> bool:
    return is_file(f"{folder}/.guild/opref") or is_file(f"{folder}/.guild/attrs/started")


def _read(folder: Path, warn: Warn) -> Iterator[FoundRun]:
    attrs = folder / ".guild" / "attrs"
    flags = _attribute(attrs / "flags", warn)
    status = _attribute(attrs / "exit_status", warn)
    code = status if isinstance(status, int) else None
    yield FoundRun(
        name=folder.name[:8],
        path=folder,
        hparams=dotted(flags) if isinstance(flags, dict) else {},
        rows=rows_beneath(folder, warn, (".guild", "")),
        state="unknown" if code is None else "failed" if code > 0 else "killed" if code else "done",
        exit_code=code,
        started=_seconds(_attribute(attrs / "started", warn)),
        ended=_seconds(_attribute(attrs / "stopped", warn)),
    )


def _attribute(file: Path, warn: Warn) -> Any:
    """Return the YAML that a file holds, None where there is none."""
    try:
        return yaml_value(text(file), str(file)) if is_file(file) else None
    except ContentError as error:
        warn(str(error))
        return None


def _seconds(microseconds: Any) -> float | None:
    return microseconds / 1e6 if isinstance(microseconds, int) else None


READER = DirReader("guild", _is_run, _read, ".guild/attrs")
