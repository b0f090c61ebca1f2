"""Where frozen trees lie: each whole or not there, and never one that was changed since."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

from runx.errors import StoreError
from runx.staging.manifests import CHANGED, MANIFEST, Manifest, changed, read_manifest

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
