"""DIR_MODE: opening a run's directory to others, its frozen files never."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from runx.errors import StagingError
from runx.staging.copying import copy_file

_CLAUSE = re.compile(r"([ugoa]*)([-+=])([rwxX]*)")
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}


def change_of(text: str) -> Callable[[int, bool], int]:
    """Read a change as chmod writes it: a function of a mode, and of whether it is a folder's.

    >>> change = change_of("a+rwX")
    >>> oct(change(0o640, False)), oct(change(0o750, False)), oct(change(0o700, True))
    ('0o666', '0o777', '0o777')
    """
    clauses = [_CLAUSE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(clauses):
        raise StagingError(f"DIR_MODE: {text!r} can't be read; write it like a+rwX or g+rX,o=")

    def change(mode: int, folder: bool) -> int:
        for clause in clauses:
            assert clause
            mode = _changed(mode, folder, *clause.groups())
        return mode

    return change


def open_to(directory: Path, text: str) -> None:
    """Change the permissions of all that lies in a directory of ours, links not followed.

    What shares a frozen file stays as protected as that: it gets a copy of its own where the
    change asks for more than is there, and never the permission to write.
    """
    change = change_of(text)
    for path, about in _tree(os.fspath(directory)):
        folder = stat.S_ISDIR(about.st_mode)
        mode = stat.S_IMODE(about.st_mode)
        shared = not folder and about.st_nlink > 1
        wanted = change(mode, folder) & (~0o222 if shared else ~0)
        if wanted == mode:
            continue
        if shared:
            _part(path, wanted)
        else:
            os.chmod(path, wanted)


def _changed(mode: int, folder: bool, who: str, operation: str, what: str) -> int:
    """Apply one clause of a change to a mode."""
    bits = 0
    for letter in what:
        if letter == "X":
            bits |= 1 if folder or mode & 0o111 else 0
        else:
            bits |= _BITS[letter]
    for letter in "ugo" if not who or "a" in who else who:
        shift = _SHIFTS[letter]
        if operation == "=":
            mode &= ~(7 << shift)
        mode = mode & ~(bits << shift) if operation == "-" else mode | bits << shift
    return mode


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
