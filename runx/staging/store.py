"""What is to be frozen, and how a run gets its own tree of it."""

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
from runx.rundir.files import VERSION, read_json
from runx.staging.walk import LeftOut, largest

MODES = ("auto", "link", "copy", "reflink", "none")
"""What CODE_STAGING may say."""


WORKTREE = "worktree"
"""What CODE_FROM says of code as it lies there; all else is a git revision."""


class Method(enum.Enum):
    """How a run's own working tree is made from frozen code."""

    LINK = "link"
    COPY = "copy"
    REFLINK = "reflink"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a folder is frozen.

    ``exclude`` are absolute paths that are never copied (LOGROOT), ``source`` is "worktree" or a
    git revision, ``files`` maps a name in the tree to a file from elsewhere.
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


@dataclass(frozen=True)
class Frozen:
    """Code as a launch found it: never changed, shared by the runs that are made from it.

    ``dir`` is the tree itself, ``commit`` where it was taken from git rather than the worktree.
    With CODE_STAGING none, ``dir`` is the project and nothing is frozen.
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
        """How many files there are, links to elsewhere not counted."""
        return len(self.manifest.files)

    @property
    def bytes(self) -> int:
        """How much is in them."""
        return sum(file.size for file in self.manifest.files)

    @property
    def largest(self) -> tuple[tuple[str, int], ...]:
        """The largest files and folders, none within another."""
        return largest({file.path: file.size for file in self.manifest.files})


MAKING = ".making"


DAY = 24 * 3600


class Place(NamedTuple):
    """Where a tree of some digest lies, or is to lie if ``manifest`` is None."""

    folder: str
    manifest: Manifest | None
    warnings: tuple[str, ...]


def place_for(store: str, digest: str) -> Place:
    """Find the frozen tree of a digest, passing by those that were changed since."""
    warnings: list[str] = []
    for number in count(1):
        folder = f"{store}/{digest}" if number == 1 else f"{store}/{digest}.{number}"
        if not os.path.lexists(folder):
            return Place(folder, None, tuple(warnings))
        if os.path.lexists(f"{folder}/{CHANGED}"):
            continue
        try:
            manifest = read_manifest(folder)
            names = changed(folder, manifest)
        except StoreError:
            names = [MANIFEST]
        if not names:
            return Place(folder, manifest, tuple(warnings))
        warnings.append(_never_again(folder, names))
    raise AssertionError("unreachable: numbers don't end")


def _never_again(folder: str, names: list[str]) -> str:
    """Set a changed tree aside for good: runs that were made from it keep it."""
    with open(f"{folder}/{CHANGED}", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{name}\n" for name in names)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (
        f"{folder}: frozen code was changed since: {names[0]}{more}; it is not used again, "
        "and runs made from it may have seen the change"
    )


@contextmanager
def making(store: str) -> Iterator[str]:
    """Give a new folder to make a tree in; what is still there at the end is thrown away."""
    import shutil

    folder = f"{store}/{MAKING}/{os.getpid()}-{os.urandom(8).hex()}"
    os.mkdir(folder)
    _sweep(f"{store}/{MAKING}", os.stat(folder).st_mtime - DAY)
    try:
        yield folder
    finally:
        if os.path.lexists(folder):
            shutil.rmtree(folder)


def _sweep(folder: str, before: float) -> None:
    """Throw away what killed launchers left; none takes a day to freeze its code."""
    import shutil

    with os.scandir(folder) as entries:
        left = [entry for entry in entries if entry.stat(follow_symlinks=False).st_mtime < before]
    for entry in left:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
