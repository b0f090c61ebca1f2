"""The index of a run's artifacts, in which logx.artifact writes a line for each."""

from __future__ import annotations

import json

from runx.rundir.paths import RunDir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

INDEX = "index.jsonl"
"""One JSON object a line: name, file, kind and time; a later line replaces one of its name."""


def artifact_entries(run: RunDir) -> dict[str, dict[str, Any]]:
    """Return the last entry of each name in the index; torn lines are left out."""
    try:
        lines = (run.artifacts / INDEX).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    entries = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries[str(entry.get("name"))] = entry
    return entries


def artifact_path(run: RunDir, name: str) -> Path | None:
    """Return the path of an artifact by its name, or of a file or folder that the run has left.

    None where there is none. No name leads out of the run's directory.
    """
    entry = artifact_entries(run).get(name)
    kept = [run.artifacts / str(entry.get("file"))] if entry else []
    paths = [*kept, run.path / name, run.artifacts / name] if name else []
    return next((path for path in paths if _is_within(path, run) and path.exists()), None)


def _is_within(path: Path, run: RunDir) -> bool:
    return run.path in path.parents and ".." not in path.parts[len(run.path.parts) :]
