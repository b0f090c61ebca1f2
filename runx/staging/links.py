"""Where the symbolic links of a project point, seen from a copy of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from runx.errors import StagingError
from runx.staging.walk import Entry, Listing, stamp_of, unreadable


def with_moved_links(listing: Listing, root: str, linked: Container[str]) -> Listing:
    """Point each link to what it means in the project, and warn where a copy can't have that."""
    present = _presence(listing, linked)
    moved = {
        path: moved_link(root, path, target, present) for path, target in listing.links.items()
    }
    return replace(
        listing,
        links={path: target for path, (target, _) in moved.items()},
        warnings=(*listing.warnings, *(warning for _, warning in moved.values() if warning)),
    )


def moved_link(
    root: str, path: str, target: str, present: Callable[[str], bool]
) -> tuple[str, str | None]:
    """Say where a link is to point from a copy of the project, and a warning or None.

    Within the project it stays within the copy; a relative link that leaves the project is made
    absolute, since relative to the copy it would point anywhere.

    >>> moved_link("/project", "src/data", "../data", lambda path: True)
    ('../data', None)
    >>> moved_link("/project", "src/data", "/project/data", lambda path: True)
    ('../data', None)
    >>> moved_link("/project", "data", "../shared", lambda path: True)[0]
    '/shared'
    """
    folder = os.path.dirname(f"{root}/{path}")
    reached = os.path.normpath(os.path.join(folder, target))
    if reached != root and not reached.startswith(f"{root}/"):
        if os.path.isabs(target):
            return target, None
        return reached, f"{path}: a link that leaves the project; in runs it points to {reached}"
    name = reached[len(root) + 1 :]
    if present(name) or not os.path.lexists(reached):
        return (os.path.relpath(reached, folder) if os.path.isabs(target) else target), None
    if os.path.isabs(target):
        return target, f"{path}: a link to {name}, which is not frozen; runs see it as it changes"
    return target, f"{path}: a link to {name}, which is left out; CODE_LINKS: {name} keeps it"


def _presence(listing: Listing, linked: Container[str]) -> Callable[[str], bool]:
    """Tell whether a copy has a path, be it through a link."""

    def present(path: str) -> bool:
        if not path or path in listing.files or path in listing.folders:
            return True
        return any(place in listing.links or place in linked for place in (path, *ancestors(path)))

    return present


def ancestors(path: str) -> list[str]:
    """Name the folders that a path lies in, the innermost first.

    >>> ancestors("a/b/c")
    ['a/b', 'a']
    """
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


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
