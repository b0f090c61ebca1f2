"""Which files differ between two frozen codes, by their manifests alone."""

from __future__ import annotations

import os
from pathlib import Path

from runx.staging.store import read_manifest


def differing(store: Path, one: str, other: str) -> list[str]:
    """Return the names of files and links that differ between two codes of a store, sorted.

    Raises:
        StoreError: One of them is no longer there.
    """
    before, now = (_content(os.fspath(store / digest)) for digest in (one, other))
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _content(folder: str) -> dict[str, str]:
    manifest = read_manifest(folder)
    files = {file.path: f"{file.digest} {file.mode & 0o111}" for file in manifest.files}
    return {**files, **{path: f"-> {target}" for path, target in manifest.links}}
