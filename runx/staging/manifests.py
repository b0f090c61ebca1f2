"""What a frozen tree is made of, and whether it still is."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from runx.errors import StoreError
from runx.files import VERSION, read_json

TREE = "tree"
MANIFEST = "manifest.json"
CHANGED = "changed"


class FrozenFile(NamedTuple):
    """A frozen file: name, the source's permissions, content, and how its copy lies there."""

    path: str
    mode: int
    content: str
    size: int
    mtime: int
    kept_mode: int


@dataclass(frozen=True)
class Manifest:
    """All that a frozen tree holds, each sorted by name."""

    files: tuple[FrozenFile, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    folders: tuple[tuple[str, int], ...] = ()

    @cached_property
    def by_content(self) -> Mapping[tuple[str, int], FrozenFile]:
        """Find a file by its content and the permissions of its copy."""
        return {(file.content, file.kept_mode): file for file in self.files}


def digest_of(
    files: Iterable[tuple[str, int, str]],
    links: Iterable[tuple[str, str]],
    folders: Iterable[tuple[str, int]],
) -> str:
    """Name a tree by all that is in it: paths, permissions, contents, links, folders.

    >>> digest_of([("train.py", 0o644, "c0ffee")], [], [])
    '732f9c4b87490866'
    """
    lines = [f"file {mode:o} {content} {path}" for path, mode, content in sorted(files)]
    lines += [f"link {path}\0{target}" for path, target in sorted(links)]
    lines += [f"folder {mode:o} {path}" for path, mode in sorted(folders)]
    text = "\0\0".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def write_manifest(folder: str, manifest: Manifest) -> None:
    """Write a manifest beside its tree. On one line: thousands of files are read back quickly."""
    content = {
        "version": VERSION,
        "files": manifest.files,
        "links": manifest.links,
        "folders": manifest.folders,
    }
    with open(f"{folder}/{MANIFEST}", "w", encoding="ascii") as file:
        file.write(json.dumps(content) + "\n")


def read_manifest(folder: str) -> Manifest:
    """Read the manifest beside a tree."""
    content = read_json(f"{folder}/{MANIFEST}")
    try:
        return Manifest(
            tuple(FrozenFile(*row) for row in content["files"]),
            tuple((path, target) for path, target in content["links"]),
            tuple((path, mode) for path, mode in content["folders"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder}/{MANIFEST}: can't be read: {error!r}") from error


def changed(folder: str, manifest: Manifest) -> list[str]:
    """Name the frozen files that aren't as they were left; no content is read."""
    tree = f"{folder}/{TREE}/"
    return [file.path for file in manifest.files if not intact(tree + file.path, file)]


def intact(path: str, file: FrozenFile) -> bool:
    """Tell whether a frozen file lies there as it was left."""
    try:
        about = os.lstat(path)
    except OSError:
        return False
    return (
        about.st_size == file.size
        and about.st_mtime_ns == file.mtime
        and about.st_mode == stat.S_IFREG | file.kept_mode
    )
