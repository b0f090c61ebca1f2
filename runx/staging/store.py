"""The experiment's store of frozen code: a folder for each tree, found by a digest of its content.

Beside each tree lies a manifest of its files, by which a changed tree is recognised.
"""

from __future__ import annotations

import enum
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import NamedTuple

from runx.errors import StoreError
from runx.nearest import first_of
from runx.rundir.files import VERSION, read_json
from runx.staging.walk import LeftOut, largest

MODES = ("auto", "link", "copy", "reflink", "none")
"""The values of CODE_STAGING."""

WORKTREE = "worktree"
"""The value of CODE_FROM for the files of the project as they are; any other is a git revision."""

TREE = "tree"
MANIFEST = "manifest.json"
CHANGED = "changed"
NEW = ".making"
"""Names in the store: of files, manifest and mark of a changed tree; of unfinished trees."""

_DAY = 24 * 3600  # seconds


class StagingMethod(enum.Enum):
    """How a run gets its own working tree of the frozen code."""

    LINK = "link"
    COPY = "copy"
    REFLINK = "reflink"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FreezeRules:
    """What of a project is frozen.

    ``exclude`` are absolute paths that are never copied (LOGROOT), ``source`` is "worktree" or a
    git revision, ``files`` maps a name in the tree to a file from elsewhere. ``max_size`` is in
    bytes, ``mode`` one of MODES.
    """

    root: Path
    ignore: tuple[str, ...] = (".git", "*.pyc", "__pycache__", "*.pth")
    gitignore: bool = True
    links: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    max_size: int = 1_000_000_000
    source: str = WORKTREE
    exclude: tuple[Path, ...] = ()
    mode: str = "auto"


class FrozenFile(NamedTuple):
    """A frozen file: its name, the permissions of its source, its digest, and its own stat."""

    path: str
    mode: int
    digest: str
    size: int
    mtime: int
    frozen_mode: int


@dataclass(frozen=True)
class Manifest:
    """The files, links and folders (with their modes) of a frozen tree, each sorted by name."""

    files: tuple[FrozenFile, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    folders: tuple[tuple[str, int], ...] = ()

    @cached_property
    def by_digest(self) -> Mapping[tuple[str, int], FrozenFile]:
        """The files by their digest and the permissions of the frozen copy."""
        return {(file.digest, file.frozen_mode): file for file in self.files}


@dataclass(frozen=True)
class FrozenCode:
    """The code of one launch: never changed, shared by the runs that are made from it.

    ``dir`` is the tree itself, ``commit`` is set where it was taken from git rather than the
    worktree. With CODE_STAGING none, ``dir`` is the project, and ``digest`` is empty.
    """

    digest: str
    dir: Path
    manifest: Manifest = field(default_factory=Manifest)
    left_out: LeftOut = field(default_factory=LeftOut)
    reused: bool = False
    warnings: tuple[str, ...] = ()
    commit: str = ""

    @property
    def files(self) -> int:
        """The number of files, links to elsewhere not counted."""
        return len(self.manifest.files)

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size for file in self.manifest.files)

    @property
    def largest(self) -> tuple[tuple[str, int], ...]:
        """The largest files and folders with their sizes in bytes, none within another."""
        return largest({file.path: file.size for file in self.manifest.files})


def digest_of(
    files: Iterable[tuple[str, int, str]],
    links: Iterable[tuple[str, str]],
    folders: Iterable[tuple[str, int]],
) -> str:
    """Return the digest of a tree: of its paths, permissions, contents, links and folders.

    >>> digest_of([("train.py", 0o644, "c0ffee")], [], [])
    '732f9c4b87490866'
    """
    lines = [f"file {mode:o} {digest} {path}" for path, mode, digest in sorted(files)]
    lines += [f"link {path}\0{target}" for path, target in sorted(links)]
    lines += [f"folder {mode:o} {path}" for path, mode in sorted(folders)]
    text = "\0\0".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


class Place(NamedTuple):
    """The folder of a digest's tree; ``manifest`` is None where the tree is still to be made."""

    folder: str
    manifest: Manifest | None
    warnings: tuple[str, ...]


def place_for(store: str, digest: str) -> Place:
    """Return the folder of the tree with this digest, or a free one; changed trees are skipped.

    A tree that is found to be changed is marked, so that it is never used again, and named in a
    warning.
    """
    warnings: list[str] = []
    for number in count(1):
        folder = f"{store}/{digest}" if number == 1 else f"{store}/{digest}.{number}"
        if not os.path.lexists(folder):
            return Place(folder, None, tuple(warnings))
        if os.path.lexists(f"{folder}/{CHANGED}"):
            continue
        try:
            manifest = read_manifest(folder)
            names = changed_files(folder, manifest)
        except StoreError:
            names = [MANIFEST]
        if not names:
            return Place(folder, manifest, tuple(warnings))
        warnings.append(_mark_changed(folder, names))
    raise AssertionError("unreachable: numbers don't end")


def _mark_changed(folder: str, names: list[str]) -> str:
    """Mark a changed tree and return the warning; runs that were made from it keep it."""
    with open(f"{folder}/{CHANGED}", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{name}\n" for name in names)
    return (
        f"{folder}: frozen code was changed since: {first_of(names, most=1)}; "
        "it is not used again, and runs made from it may have seen the change"
    )


def changed_files(folder: str, manifest: Manifest) -> list[str]:
    """Return the names of frozen files that were changed or removed, by their stat alone."""
    tree = f"{folder}/{TREE}/"
    return [file.path for file in manifest.files if not is_intact(tree + file.path, file)]


def is_intact(path: str, file: FrozenFile) -> bool:
    """Return whether a frozen file has the size, time and permissions that it was made with."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return (
        status.st_size == file.size
        and status.st_mtime_ns == file.mtime
        and status.st_mode == stat.S_IFREG | file.frozen_mode
    )


def write_manifest(folder: str, manifest: Manifest) -> None:
    """Write a manifest beside its tree. On one line: thousands of files are read back quickly."""
    content = {
        "version": VERSION,
        "files": manifest.files,
        "links": manifest.links,
        "folders": manifest.folders,
    }
    with open(f"{folder}/{MANIFEST}", "w", encoding="utf-8") as file:
        file.write(json.dumps(content) + "\n")


def read_manifest(folder: str) -> Manifest:
    """Read the manifest beside a tree.

    Raises:
        StoreError: It is missing, damaged or of a newer version.
    """
    content = read_json(f"{folder}/{MANIFEST}")
    try:
        return Manifest(
            tuple(FrozenFile(*row) for row in content["files"]),
            tuple((path, target) for path, target in content["links"]),
            tuple((path, mode) for path, mode in content["folders"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder}/{MANIFEST}: can't be read: {error!r}") from error


@contextmanager
def new_folder(store: str) -> Iterator[str]:
    """Make a folder to prepare a tree in; it is removed at the end, unless it was renamed."""
    import shutil

    folder = f"{store}/{NEW}/{os.getpid()}-{os.urandom(8).hex()}"
    os.mkdir(folder)
    _remove_leftovers(f"{store}/{NEW}", os.stat(folder).st_mtime - _DAY)
    try:
        yield folder
    finally:
        if os.path.lexists(folder):
            shutil.rmtree(folder)


def _remove_leftovers(folder: str, before: float) -> None:
    """Remove the folders of killed launchers; no launcher takes a day to freeze its code."""
    import shutil

    with os.scandir(folder) as entries:
        old = [entry for entry in entries if entry.stat(follow_symlinks=False).st_mtime < before]
    for entry in old:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
