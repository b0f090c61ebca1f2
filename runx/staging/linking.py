"""Where the symbolic links of a project point, seen from a copy of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Container
from dataclasses import replace

from runx.staging.listing import Listing


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
