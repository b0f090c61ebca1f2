"""Walking a project: what there is to freeze."""

from __future__ import annotations

import os
import stat
from operator import attrgetter
from pathlib import Path

from runx.errors import StagingError
from runx.staging.listing import Entry, LeftOut, Listing, stamp_of
from runx.staging.sieve import GITIGNORED, LOGS, Sieve


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
