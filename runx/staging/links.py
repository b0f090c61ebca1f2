"""Changes to a listing: links that stay right in a copy, CODE_LINKS, and FILES from elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from runx.errors import StagingError
from runx.staging.walk import Entry, Listing, stamp_of, unreadable


def with_moved_links(listing: Listing, root: str, linked: Container[str]) -> Listing:
    """Return the listing with links that are right in a copy, and warnings where none can be.

    ``linked`` are the names of CODE_LINKS, ``root`` is the project.
    """
    present = _has_path(listing, linked)
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
    """Return the target of a link in a copy of the project, and a warning or None.

    A link within the project stays within the copy; a relative link that leaves the project is
    made absolute, since relative to the copy it would point anywhere.

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


def _has_path(listing: Listing, linked: Container[str]) -> Callable[[str], bool]:
    """Return a function that returns whether a copy has a path, be it through a link."""

    def present(path: str) -> bool:
        if not path or path in listing.files or path in listing.folders:
            return True
        return any(name in listing.links or name in linked for name in (path, *ancestors(path)))

    return present


def ancestors(path: str) -> list[str]:
    """Return the folders that a path lies in, the innermost first.

    >>> ancestors("a/b/c")
    ['a/b', 'a']
    """
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def linked_names(root: Path, links: Iterable[str]) -> frozenset[str]:
    """Return the names of CODE_LINKS, those within another left out.

    Raises:
        StagingError: A name is not there, or not within the project.
    """
    from difflib import get_close_matches

    all_names = frozenset(normalized_name(link, "CODE_LINKS") for link in links)
    names = frozenset(name for name in all_names if all_names.isdisjoint(ancestors(name)))
    for name in sorted(names):
        if not os.path.lexists(root / name):
            near = get_close_matches(name, os.listdir(root), n=1)
            hint = f"; did you mean {near[0]}?" if near else "; make it, or take it out"
            raise StagingError(f"{root}: CODE_LINKS: there is no {name}{hint}")
    return names


def with_links(listing: Listing, root: Path, names: Iterable[str]) -> Listing:
    """Return the listing with links to the project's own, for the names of CODE_LINKS."""
    links = {name: str(root / name) for name in sorted(names)}
    return replace(
        listing,
        links={**listing.links, **links},
        folders={**listing.folders, **_folders_for(links, listing, "CODE_LINKS")},
    )


def with_files(listing: Listing, files: Mapping[str, Path]) -> Listing:
    """Return the listing with files from elsewhere, which replace the project's own.

    Raises:
        StagingError: A file can't be read, or its name is a folder or not within the project.
    """
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


def normalized_name(name: str, key: str) -> str:
    """Return a normalized name; raise StagingError if it leaves the project. ``key``: the setting.

    >>> normalized_name("./data/", "CODE_LINKS")
    'data'
    """
    plain = os.path.normpath(name)
    if os.path.isabs(plain) or plain in (".", "..") or plain.startswith("../"):
        raise StagingError(f"{key}: {name!r} is not a name within the project; give a relative one")
    return plain


def _checked(files: Mapping[str, Path]) -> dict[str, Path]:
    paths = {normalized_name(name, "FILES"): path for name, path in files.items()}
    for name in paths:
        for folder in ancestors(name):
            if folder in paths:
                raise StagingError(f"FILES: {name} and {folder} can't both be there; rename one")
    return paths


def _entry(name: str, path: Path) -> Entry:
    try:
        status = path.stat()
    except PermissionError:
        raise unreadable(str(path)) from None
    except OSError as error:
        raise StagingError(f"FILES: {name}: {path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise StagingError(f"FILES: {name}: {path} is no file; FILES takes files, one by one")
    return Entry(name, os.path.realpath(path), stamp_of(status))


def _folders_for(names: Iterable[str], listing: Listing, key: str) -> dict[str, int]:
    """Return the folders, with modes, that added names need and the listing lacks."""
    needed: dict[str, int] = {}
    for name in names:
        for folder in ancestors(name):
            if folder in listing.files or folder in listing.links:
                raise StagingError(f"{key}: {name}: {folder} is no folder; choose another name")
            if folder not in listing.folders:
                needed[folder] = 0o777
    return needed
