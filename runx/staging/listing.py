"""The nouns of a walk: what there is to freeze, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


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
