"""What was written down when a run was made and launched; damage is told and passed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.files import read_json
from runx.rundir import ExperimentDir, RunDir


def kept(file: Path, warn: Callable[[str], None]) -> dict[str, Any]:
    """Read one of runx's JSON files; nothing where it isn't there or is damaged."""
    if not file.exists():
        return {}
    try:
        return read_json(file)
    except StoreError as error:
        warn(str(error))
        return {}


def launch_folder(run: RunDir, record: Mapping[str, Any]) -> Path | None:
    """Find where it stands what was asked when a run was launched, given its run.json."""
    name = record.get("launch")
    return ExperimentDir(run.path.parent).launches / name if isinstance(name, str) else None


def launch_of(
    run: RunDir, record: Mapping[str, Any], warn: Callable[[str], None]
) -> dict[str, Any]:
    """Read what was asked when a run was launched."""
    folder = launch_folder(run, record)
    return kept(folder / "launch.json", warn) if folder else {}
