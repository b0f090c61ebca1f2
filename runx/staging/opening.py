"""DIR_MODE: opening a run's directory to others, its frozen files never."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from runx.staging.copying import copy_file


def open_to(directory: Path, mode: int) -> None:
    """Give a mode to all that lies in a directory of ours, links not followed.

    What shares a frozen file stays as protected as that: it gets a copy of its own where the mode
    differs from what is there, and never the permission to write.
    """
    for path, about in _tree(os.fspath(directory)):
        folder = stat.S_ISDIR(about.st_mode)
        before = stat.S_IMODE(about.st_mode)
        shared = not folder and about.st_nlink > 1
        wanted = _wanted(mode, before, folder) & (~0o222 if shared else ~0)
        if wanted == before:
            continue
        if shared:
            _part(path, wanted)
        else:
            os.chmod(path, wanted)


def _wanted(mode: int, before: int, folder: bool) -> int:
    """Return the mode that a folder or file gets: files become executable only if they were.

    >>> [oct(_wanted(0o2775, *of)) for of in ((0o640, False), (0o750, False), (0o700, True))]
    ['0o664', '0o775', '0o2775']
    """
    if folder:
        return mode | before & 0o7000
    executable = 0o111 if before & 0o111 else 0
    return mode & (0o666 | executable) | before & 0o7000


def _part(path: str, mode: int) -> None:
    """Give a run a file of its own in place of one it shares."""
    beside = f"{path}.{os.urandom(8).hex()}"
    copy_file(path, beside, mode)
    os.replace(beside, path)


def _tree(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Give a folder and all folders and files in it; the names first, so that none is met twice."""
    yield top, os.lstat(top)
    pending = [top]
    while pending:
        with os.scandir(pending.pop()) as entries:
            found = [entry for entry in entries if not entry.is_symlink()]
        for entry in found:
            if entry.is_dir():
                pending.append(entry.path)
            yield entry.path, entry.stat(follow_symlinks=False)
