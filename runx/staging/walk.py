"""The nouns of a walk: what there is to freeze, and what is left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from runx.errors import StagingError
from runx.staging.ignore import GITIGNORED, LOGS, Sieve


class Stamp(NamedTuple):
    """What tells, without reading, that a file is as it was."""

    size: int
    mode: int
    inode: int
    mtime: int
    ctime: int


class Entry(NamedTuple):
    """A file to freeze: its name in the tree, where it is read, and its stamp."""

    path: str
    source: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a walk passed by: names by the pattern that names them, and what git ignores."""

    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gitignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to freeze: files, targets of symbolic links, modes of folders."""

    files: Mapping[str, Entry]
    links: Mapping[str, str]
    folders: Mapping[str, int]
    left_out: LeftOut = field(default_factory=LeftOut)
    warnings: tuple[str, ...] = ()


def stamp_of(about: os.stat_result) -> Stamp:
    """Take from a stat what a stamp keeps; of the mode the permissions alone."""
    return Stamp(
        about.st_size,
        about.st_mode & 0o777,
        about.st_ino,
        about.st_mtime_ns,
        about.st_ctime_ns,
    )


def walk(root: Path, sieve: Sieve, linked: frozenset[str] = frozenset()) -> Listing:
    """List what of root is frozen. ``linked`` are paths that something else takes care of."""
    found = _Found(os.fspath(root), sieve, linked)
    pending = [""]
    while pending:
        pending.extend(found.folder(pending.pop()))
    return Listing(
        {entry.path: entry for entry in found.files},
        found.links,
        found.folders,
        LeftOut(
            {reason: tuple(sorted(names)) for reason, names in sorted(found.passed.items())},
            tuple(sorted(found.gitignored)),
        ),
        tuple(found.warnings),
    )


class _Found:
    """What a walk has found so far."""

    def __init__(self, root: str, sieve: Sieve, linked: frozenset[str]) -> None:
        self.root, self.sieve, self.linked = root, sieve, linked
        self.files: list[Entry] = []
        self.links: dict[str, str] = {}
        self.folders: dict[str, int] = {}
        self.passed: dict[str, list[str]] = {}
        self.gitignored: list[str] = []
        self.warnings: list[str] = []

    def folder(self, path: str) -> list[str]:
        """Take in one folder; give the folders in it that are still to be walked."""
        absolute = f"{self.root}/{path}" if path else self.root
        entries = self._entries(absolute)
        names = frozenset(entry.name for entry in entries)
        # Our own store is a folder called .runx; the settings file is a file.
        ours = ".runx" in names and os.path.isdir(f"{absolute}/.runx")
        reason = (LOGS if ours else self.sieve.reason_for_folder(names)) if path else None
        if reason:
            self._pass(reason, f"{path}/")
            return []
        self.sieve.enter(path, absolute, names)
        if path:
            self.folders[path] = stat.S_IMODE(os.lstat(absolute).st_mode) & 0o777 | 0o700
        prefix = f"{path}/" if path else ""
        return [
            prefix + entry.name for entry in entries if self._is_folder(entry, prefix + entry.name)
        ]

    def _is_folder(self, entry: os.DirEntry[str], path: str) -> bool:
        """Take in one entry; tell whether it is a folder to be walked."""
        if path in self.linked:
            return False
        reason = self.sieve.reason(path, entry.name, entry.path)
        if reason:
            self._pass(reason, f"{path}/" if entry.is_dir(follow_symlinks=False) else path)
        elif entry.is_file(follow_symlinks=False):
            self._take(entry, path)
        elif entry.is_symlink():
            self.links[path] = os.readlink(entry.path)
        elif entry.is_dir():
            return entry.name != ".runx"
        else:
            self.warnings.append(f"{entry.path}: neither a file nor a folder; left out")
        return False

    def _take(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            about = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
            return
        self.files.append(Entry(path, entry.path, stamp_of(about)))

    def _pass(self, reason: str, path: str) -> None:
        if reason == GITIGNORED:
            self.gitignored.append(path)
        elif reason != LOGS:
            self.passed.setdefault(reason, []).append(path)

    def _entries(self, absolute: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(absolute) as entries:
                return sorted(entries, key=attrgetter("name"))
        except PermissionError:
            raise unreadable(absolute) from None
        except FileNotFoundError:
            if absolute != self.root:  # Gone since it was listed.
                return []
            raise


def unreadable(path: str) -> StagingError:
    """Say that something can't be read, and what to do."""
    return StagingError(
        f"{path}: can't be read; make it readable, or name it in CODE_IGNORE_PATTERNS"
    )


def largest(sizes: Mapping[str, int], count: int = 3) -> tuple[tuple[str, int], ...]:
    """Name the largest files and folders, so that none lies within another.

    A folder stands for what is in it, unless one entry makes up nearly all of it.

    >>> largest({"data/a.bin": 60, "data/b.bin": 50, "src/deep/model.bin": 70, "train.py": 1})
    (('data/', 110), ('src/deep/model.bin', 70), ('train.py', 1))
    """
    return tuple(sorted(_heaviest(sizes), key=lambda pair: -pair[1])[:count])


def _heaviest(sizes: Mapping[str, int], prefix: str = "") -> list[tuple[str, int]]:
    """Weigh the entries of a folder, each described as narrowly as it deserves."""
    groups: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        name, slash, rest = path.partition("/")
        groups.setdefault(name + slash, {})[rest] = size
    weighed = []
    for name, inner in groups.items():
        total = sum(inner.values())
        deeper = _heaviest(inner, prefix + name) if name.endswith("/") and total else []
        top = max(deeper, key=lambda pair: pair[1], default=None)
        weighed.append(top if top and top[1] >= 0.8 * total else (prefix + name, total))
    return weighed


def check_size(root: Path, sizes: Mapping[str, int], limit: int) -> None:
    """Refuse a project that is too large to be code, and name what makes it so."""
    total = sum(sizes.values())
    if total <= limit:
        return
    entries = ", ".join(f"{path} ({megabytes(size)})" for path, size in largest(sizes))
    raise StagingError(
        f"{root}: {megabytes(total)} of code, more than CODE_MAX_SIZE, {megabytes(limit)}; "
        f"the largest: {entries}; name what is no code in CODE_LINKS (linked) or "
        "CODE_IGNORE_PATTERNS (left out), or raise CODE_MAX_SIZE"
    )


def megabytes(size: int) -> str:
    """Write a size as people compare it.

    >>> megabytes(512_345), megabytes(2_345_678_901), megabytes(1800), megabytes(20)
    ('0.5 MB', '2345.7 MB', '2 kB', 'under 1 kB')
    """
    if size < 1000:
        return "under 1 kB"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
