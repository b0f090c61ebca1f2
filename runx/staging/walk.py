"""The listing of a project: what there is to freeze, what is left out, and how large it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from runx.errors import StagingError
from runx.staging.ignore import GITIGNORED, LOGS, IgnoreRules


class Stamp(NamedTuple):
    """The part of a file's stat that differs once the file was changed; times in nanoseconds."""

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
    """The names that were left out: by the pattern that matches them, and those git ignores."""

    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gitignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The files, links (with their targets) and folders (with their modes) to freeze."""

    files: Mapping[str, Entry]
    links: Mapping[str, str]
    folders: Mapping[str, int]
    left_out: LeftOut = field(default_factory=LeftOut)
    warnings: tuple[str, ...] = ()


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a stat result; of the mode it has the permissions alone."""
    return Stamp(
        status.st_size,
        status.st_mode & 0o777,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def walk(root: Path, rules: IgnoreRules, linked: frozenset[str] = frozenset()) -> Listing:
    """Return what of root is frozen; ``linked`` are paths to pass by, since links replace them.

    Raises:
        StagingError: A file or folder can't be read.
    """
    walker = _Walker(os.fspath(root), rules, linked)
    pending = [""]
    while pending:
        pending.extend(walker.visit(pending.pop()))
    return Listing(
        {entry.path: entry for entry in walker.files},
        walker.links,
        walker.folders,
        LeftOut(
            {reason: tuple(sorted(names)) for reason, names in sorted(walker.left_out.items())},
            tuple(sorted(walker.gitignored)),
        ),
        tuple(walker.warnings),
    )


class _Walker:
    """The state of a walk through a project."""

    def __init__(self, root: str, rules: IgnoreRules, linked: frozenset[str]) -> None:
        self.root, self.rules, self.linked = root, rules, linked
        self.files: list[Entry] = []
        self.links: dict[str, str] = {}
        self.folders: dict[str, int] = {}
        self.left_out: dict[str, list[str]] = {}
        self.gitignored: list[str] = []
        self.warnings: list[str] = []

    def visit(self, path: str) -> list[str]:
        """List one folder, and return the folders in it that are still to be visited."""
        absolute = f"{self.root}/{path}" if path else self.root
        entries = self._entries(absolute)
        names = frozenset(entry.name for entry in entries)
        # Our own store is a folder called .runx; the settings file is a file.
        is_logs = ".runx" in names and os.path.isdir(f"{absolute}/.runx")
        reason = (LOGS if is_logs else self.rules.reason_for_folder(names)) if path else None
        if reason:
            self._leave_out(reason, f"{path}/")
            return []
        self.rules.enter(path, absolute, names)
        if path:
            self.folders[path] = stat.S_IMODE(os.lstat(absolute).st_mode) & 0o777 | 0o700
        prefix = f"{path}/" if path else ""
        return [prefix + entry.name for entry in entries if self._add(entry, prefix + entry.name)]

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

    def _add(self, entry: os.DirEntry[str], path: str) -> bool:
        """List one entry, and return whether it is a folder to visit."""
        if path in self.linked:
            return False
        reason = self.rules.reason(path, entry.name, entry.path)
        if reason:
            self._leave_out(reason, f"{path}/" if entry.is_dir(follow_symlinks=False) else path)
        elif entry.is_file(follow_symlinks=False):
            self._add_file(entry, path)
        elif entry.is_symlink():
            self.links[path] = os.readlink(entry.path)
        elif entry.is_dir():
            return entry.name != ".runx"
        else:
            self.warnings.append(f"{entry.path}: neither a file nor a folder; left out")
        return False

    def _add_file(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
            return
        self.files.append(Entry(path, entry.path, stamp_of(status)))

    def _leave_out(self, reason: str, path: str) -> None:
        if reason == GITIGNORED:
            self.gitignored.append(path)
        elif reason != LOGS:
            self.left_out.setdefault(reason, []).append(path)


def unreadable(path: str) -> StagingError:
    """Return the error for a file or folder that can't be read, with the remedy."""
    return StagingError(
        f"{path}: can't be read; make it readable, or name it in CODE_IGNORE_PATTERNS"
    )


def check_size(root: Path, sizes: Mapping[str, int], limit: int) -> None:
    """Raise StagingError, which names the largest files, if the sizes exceed a limit in bytes."""
    total = sum(sizes.values())
    if total <= limit:
        return
    entries = ", ".join(f"{path} ({megabytes(size)})" for path, size in largest(sizes))
    raise StagingError(
        f"{root}: {megabytes(total)} of code, more than CODE_MAX_SIZE, {megabytes(limit)}; "
        f"the largest: {entries}; name what is no code in CODE_LINKS (linked) or "
        "CODE_IGNORE_PATTERNS (left out), or raise CODE_MAX_SIZE"
    )


def largest(sizes: Mapping[str, int], count: int = 3) -> tuple[tuple[str, int], ...]:
    """Return the largest files and folders with their sizes, none within another.

    A folder stands for what is in it, unless one entry makes up nearly all of it.

    >>> largest({"data/a.bin": 60, "data/b.bin": 50, "src/deep/model.bin": 70, "train.py": 1})
    (('data/', 110), ('src/deep/model.bin', 70), ('train.py', 1))
    """
    return tuple(sorted(_folder_sizes(sizes), key=lambda pair: -pair[1])[:count])


def _folder_sizes(sizes: Mapping[str, int], prefix: str = "") -> list[tuple[str, int]]:
    """Return the size of each entry of a folder, or of the entry in it that is nearly all of it."""
    groups: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        name, slash, rest = path.partition("/")
        groups.setdefault(name + slash, {})[rest] = size
    totals = []
    for name, inner in groups.items():
        total = sum(inner.values())
        deeper = _folder_sizes(inner, prefix + name) if name.endswith("/") and total else []
        top = max(deeper, key=lambda pair: pair[1], default=None)
        totals.append(top if top and top[1] >= 0.8 * total else (prefix + name, total))
    return totals


def megabytes(size: int) -> str:
    """Return a size in bytes as text, in MB where it is not far less.

    >>> megabytes(512_345), megabytes(2_345_678_901), megabytes(1800), megabytes(20)
    ('0.5 MB', '2345.7 MB', '2 kB', 'under 1 kB')
    """
    if size < 1000:
        return "under 1 kB"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
