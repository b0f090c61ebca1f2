"""The store's index.json: the digests of files read before, so that unchanged ones aren't read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runx.errors import StoreError
from runx.rundir.files import VERSION, read_json, write_whole
from runx.staging.walk import Entry, Stamp

_TICK, _WHOLE_SECONDS = 100_000_000, 2_500_000_000
"""For how many nanoseconds a change may leave a stamp as it was: by the file system's ticks, or
where it keeps whole seconds."""


@dataclass(frozen=True)
class Index:
    """The frozen tree made last, and for each file by its path: its stamp, and last its digest."""

    tree: str = ""
    files: Mapping[str, Sequence[int | str]] = field(default_factory=dict)

    def digest(self, entry: Entry) -> str | None:
        """Return the digest of a file, or None if it was not read yet or has changed since."""
        row = self.files.get(entry.source)
        return str(row[-1]) if row and (*row[:-1],) == entry.stamp else None


def read_index(store: str) -> Index:
    """Return the index of a store, empty where there is none or a damaged one."""
    try:
        content = read_json(f"{store}/index.json")
        tree, files = str(content["tree"]), content["files"]
        return Index(tree, files) if set(map(type, files.values())) <= {list} else Index()
    except (StoreError, KeyError, AttributeError):
        return Index()


def write_index(store: str, index: Index) -> None:
    """Write the index of a store."""
    content = {"version": VERSION, "tree": index.tree, "files": index.files}
    write_whole(f"{store}/index.json", json.dumps(content) + "\n")


def index_of(tree: str, files: Iterable[tuple[Entry, str]], since: int) -> Index:
    """Return the index of files and their digests, which were read after the time ``since``.

    A file changed shortly before is not in it: it may change again and keep its stamp.
    """
    return Index(
        tree,
        {
            entry.source: [*entry.stamp, digest]
            for entry, digest in files
            if is_settled(entry.stamp, since)
        },
    )


def is_settled(stamp: Stamp, since: int) -> bool:
    """Return whether a change after the time ``since`` (in nanoseconds) would show in the stamp.

    >>> is_settled(Stamp(5, 0o644, 1, 10**9 + 1, 10**9 + 1), since=2 * 10**9)
    True
    >>> is_settled(Stamp(5, 0o644, 1, 10**9, 10**9), since=2 * 10**9)
    False
    """
    whole_seconds = stamp.mtime % 10**9 == 0 and stamp.ctime % 10**9 == 0
    doubt = _WHOLE_SECONDS if whole_seconds else _TICK
    return max(stamp.mtime, stamp.ctime) + doubt < since


def clock(folder: str) -> int:
    """Return the time in nanoseconds of a folder's file system or of this machine, the earlier."""
    path = f"{folder}/{os.urandom(8).hex()}"
    with open(path, "xb"):
        file_time = os.stat(path).st_mtime_ns
    os.unlink(path)
    return min(file_time, time.time_ns())
