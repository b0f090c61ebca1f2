"""What files contained when they were last read, found again by their stamps.

The index only saves work: where it can't be read, everything is read again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runx.errors import StoreError
from runx.files import VERSION, read_json, write_whole
from runx.staging.listing import Entry, Stamp

FINE, COARSE = 100_000_000, 2_500_000_000
"""For how many nanoseconds a change may hide behind an unchanged stamp: by the file system's
ticks, or where it keeps whole seconds."""


@dataclass(frozen=True)
class Index:
    """Where a file was read: its stamp, and last its content; and the frozen tree made last."""

    tree: str = ""
    files: Mapping[str, Sequence[int | str]] = field(default_factory=dict)

    def content(self, entry: Entry) -> str | None:
        """Give the content of a file that is as it was when it was read."""
        known = self.files.get(entry.source)
        return str(known[-1]) if known and (*known[:-1],) == entry.stamp else None


def read_index(store: str) -> Index:
    """Read the index of a store, or give an empty one."""
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


def indexed(tree: str, read: Iterable[tuple[Entry, str]], since: int) -> Index:
    """Make the index of what was read after the moment ``since``.

    A file changed shortly before may change again and keep its stamp: it is not kept.
    """
    return Index(
        tree,
        {
            entry.source: [*entry.stamp, content]
            for entry, content in read
            if settled(entry.stamp, since)
        },
    )


def settled(stamp: Stamp, since: int) -> bool:
    """Tell whether a change after ``since`` would show in the stamp.

    >>> settled(Stamp(5, 0o644, 1, 10**9 + 1, 10**9 + 1), since=2 * 10**9)
    True
    >>> settled(Stamp(5, 0o644, 1, 10**9, 10**9), since=2 * 10**9)
    False
    """
    whole_seconds = stamp.mtime % 10**9 == 0 and stamp.ctime % 10**9 == 0
    return max(stamp.mtime, stamp.ctime) + (COARSE if whole_seconds else FINE) < since


def moment(folder: str) -> int:
    """Tell the time as a file system and this machine do, whichever is behind."""
    path = f"{folder}/{os.urandom(8).hex()}"
    with open(path, "xb"):
        seen = os.stat(path).st_mtime_ns
    os.unlink(path)
    return min(seen, time.time_ns())
