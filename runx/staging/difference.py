"""Which files differ between two frozen codes, by their manifests alone."""

from __future__ import annotations

import os
from pathlib import Path

from runx.staging.store import read_manifest


def differing(one: Path, other: Path) -> list[str]:
    """Return the names of files and links that differ between two frozen codes, sorted.

    Raises:
        StoreError: One of them is no longer there.
    """
    before, now = (content(one), content(other))
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def content(folder: Path) -> dict[str, str]:
    """Return the files and links of a frozen code, each with the digest of what it holds.

    Raises:
        StoreError: It is no longer there.
    """
    manifest = read_manifest(os.fspath(folder))
    files = {file.path: f"{file.digest} {file.mode & 0o111}" for file in manifest.files}
    return {**files, **{path: f"-> {target}" for path, target in manifest.links}}
