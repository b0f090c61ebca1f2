"""What settings add to a project's own files: CODE_LINKS and FILES."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from runx.errors import StagingError
from runx.staging.linking import ancestors
from runx.staging.listing import Entry, Listing, stamp_of
from runx.staging.walking import unreadable


def linked_names(root: Path, links: Iterable[str]) -> frozenset[str]:
    """Check CODE_LINKS: names of what is there, in the project."""
    from difflib import get_close_matches

    named = frozenset(inside(link, "CODE_LINKS") for link in links)
    names = frozenset(name for name in named if named.isdisjoint(ancestors(name)))
    for name in sorted(names):
        if not os.path.lexists(root / name):
            near = get_close_matches(name, os.listdir(root), n=1)
            hint = f"; did you mean {near[0]}?" if near else "; make it, or take it out"
            raise StagingError(f"{root}: CODE_LINKS: there is no {name}{hint}")
    return names


def with_links(listing: Listing, root: Path, names: Iterable[str]) -> Listing:
    """Add links to what stays where it is."""
    links = {name: str(root / name) for name in sorted(names)}
    return replace(
        listing,
        links={**listing.links, **links},
        folders={**listing.folders, **_folders_for(links, listing, "CODE_LINKS")},
    )


def with_files(listing: Listing, files: Mapping[str, Path]) -> Listing:
    """Add files from elsewhere; they take the place of the project's own."""
    added = {name: _entry(name, path) for name, path in _checked(files).items()}
    for name in added:
        if name in listing.folders:
            raise StagingError(f"FILES: {name} is a folder of the project; choose another name")
    return replace(
        listing,
        files={**listing.files, **added},
        links={name: target for name, target in listing.links.items() if name not in added},
        folders={**listing.folders, **_folders_for(added, listing, "FILES")},
    )


def inside(name: str, key: str) -> str:
    """Write a name as staging does, and refuse one that leaves the project.

    >>> inside("./data/", "CODE_LINKS")
    'data'
    """
    plain = os.path.normpath(name)
    if os.path.isabs(plain) or plain in (".", "..") or plain.startswith("../"):
        raise StagingError(f"{key}: {name!r} is not a name within the project; give a relative one")
    return plain


def _checked(files: Mapping[str, Path]) -> dict[str, Path]:
    named = {inside(name, "FILES"): path for name, path in files.items()}
    for name in named:
        for place in ancestors(name):
            if place in named:
                raise StagingError(f"FILES: {name} and {place} can't both be there; rename one")
    return named


def _entry(name: str, path: Path) -> Entry:
    try:
        about = path.stat()
    except PermissionError:
        raise unreadable(str(path)) from None
    except OSError as error:
        raise StagingError(f"FILES: {name}: {path}: {error.strerror}") from None
    if not stat.S_ISREG(about.st_mode):
        raise StagingError(f"FILES: {name}: {path} is no file; FILES takes files, one by one")
    return Entry(name, os.path.realpath(path), stamp_of(about))


def _folders_for(names: Iterable[str], listing: Listing, key: str) -> dict[str, int]:
    """Find the folders that added names need and the project's listing lacks."""
    needed: dict[str, int] = {}
    for name in names:
        for place in ancestors(name):
            if place in listing.files or place in listing.links:
                raise StagingError(f"{key}: {name}: {place} is no folder; choose another name")
            if place not in listing.folders:
                needed[place] = 0o777
    return needed
