"""Freezing of the project's code: as it lies there, or as it is in a commit."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from runx.errors import StagingError, StoreError
from runx.rundir.files import write_whole
from runx.staging import git
from runx.staging.copying import NO_LINK, freeze_file, read_steadily
from runx.staging.ignore import ignore_rules
from runx.staging.index import Index, clock, index_of, read_index, write_index
from runx.staging.links import linked_names, with_files, with_links, with_moved_links
from runx.staging.store import (
    NEW,
    TREE,
    WORKTREE,
    FreezeRules,
    FrozenCode,
    FrozenFile,
    Manifest,
    Place,
    digest_of,
    is_intact,
    new_folder,
    place_for,
    read_manifest,
    write_manifest,
)
from runx.staging.walk import Entry, Listing, check_size, walk

_SUBMODULES = "submodules"  # beside a checkout: the names of those that were left out

Digests: TypeAlias = Mapping[str, tuple[Entry, str]]
"""The files of a tree and their digests, by their names in the tree."""


def freeze(rules: FreezeRules, store: Path) -> FrozenCode:
    """Freeze the code that the rules select; ``store`` is the experiment's folder for it.

    Raises:
        StagingError: The code can't be read, is too large or names what is not there.
    """
    if rules.mode == "none":
        return FrozenCode(digest="", dir=rules.root.resolve())
    try:
        os.makedirs(store / NEW, exist_ok=True)
        return _freeze(replace(rules, root=rules.root.resolve()), store.resolve())
    except OSError as error:
        where = error.filename2 or error.filename or store
        raise StagingError(
            f"{os.fspath(where)}: can't freeze the code: {error.strerror}"
        ) from error


def _freeze(rules: FreezeRules, store: Path) -> FrozenCode:
    source, commit, notes = _source(rules, store)
    listing = _list(replace(rules, exclude=(*rules.exclude, store)), source)
    since = clock(f"{store}/{NEW}")
    index = read_index(f"{store}")
    digests, count_read = _read(listing, index)
    digest = _tree_digest(listing, digests)
    existing = place_for(f"{store}", digest)
    place = existing
    if existing.manifest is None:
        place, digests = _make_tree(f"{store}", listing, digests, index.tree)
        digest = _tree_digest(listing, digests)
    tree = os.path.basename(place.folder)
    if count_read or tree != index.tree or len(digests) != len(index.files):
        write_index(f"{store}", index_of(tree, digests.values(), since))
    return FrozenCode(
        digest=digest,
        dir=Path(place.folder, TREE),
        manifest=place.manifest or Manifest(),
        left_out=listing.left_out,
        reused=existing.manifest is not None,
        warnings=(*notes, *listing.warnings, *existing.warnings),
        commit=commit,
    )


def _source(rules: FreezeRules, store: Path) -> tuple[Path, str, tuple[str, ...]]:
    """Return the folder to freeze, its commit or "", and warnings.

    A commit is checked out once, beside the frozen code, and from then on found by its name.
    """
    if rules.source == WORKTREE:
        return rules.root, "", ()
    commit = git.commit_of(rules.root, rules.source)
    prefix = git.prefix(rules.root)
    part = hashlib.blake2b(prefix.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    checkout = store / f"from-{commit}-{part}"
    if not checkout.exists():
        with new_folder(str(store)) as folder:
            submodules = git.check_out(rules.root, commit, Path(folder, TREE))
            write_whole(f"{folder}/{_SUBMODULES}", "\0".join(submodules))
            _publish(Path(folder), checkout)
    source = checkout / TREE / prefix
    if not source.is_dir():
        raise StagingError(f"{rules.root}: CODE_FROM: there is nothing here in {rules.source}")
    names = (checkout / _SUBMODULES).read_text(encoding="utf-8", errors="surrogateescape")
    warning = f"CODE_FROM: {rules.source}: submodules are left out: {names.replace(chr(0), ', ')}"
    return source, commit, (warning,) if names else ()


def _publish(folder: Path, checkout: Path) -> None:
    """Rename a checkout into place, unless another launcher was faster."""
    try:
        folder.rename(checkout)
    except OSError:
        if not checkout.exists():
            raise


def _list(rules: FreezeRules, source: Path) -> Listing:
    """Return what is frozen of a folder: the project, or a checkout of one of its commits."""
    linked = linked_names(rules.root, rules.links)
    gitignore = rules.gitignore and rules.source == WORKTREE
    ignore, warning = ignore_rules(source, rules.ignore, rules.exclude, gitignore)
    walked = with_moved_links(walk(source, ignore, linked), os.fspath(rules.root), linked)
    listing = with_files(with_links(walked, rules.root, linked), rules.files)
    sizes = {path: entry.stamp.size for path, entry in listing.files.items()}
    check_size(rules.root, sizes, rules.max_size)
    return replace(listing, warnings=(*filter(None, [warning]), *listing.warnings))


def _read(listing: Listing, index: Index) -> tuple[Digests, int]:
    """Return the digest of each file, by the index or by reading it, and how many were read."""
    digests: dict[str, tuple[Entry, str]] = {}
    count = 0
    for path, entry in listing.files.items():
        digest = index.digest(entry)
        if digest is None:
            try:
                stamp, digest = read_steadily(entry.source)
            except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
                continue
            entry = entry._replace(stamp=stamp)
            count += 1
        digests[path] = entry, digest
    return digests, count


def _tree_digest(listing: Listing, digests: Digests) -> str:
    files = [(path, entry.stamp.mode, digest) for path, (entry, digest) in digests.items()]
    return digest_of(files, listing.links.items(), listing.folders.items())


def _make_tree(store: str, listing: Listing, digests: Digests, last: str) -> tuple[Place, Digests]:
    """Make a frozen tree in a new folder and rename it into place; return what is in it, too.

    ``last`` is the name of the tree made last.
    """
    with new_folder(store) as folder:
        files, digests = _fill(f"{folder}/{TREE}", listing, digests, _previous(f"{store}/{last}"))
        links, folders = sorted(listing.links.items()), sorted(listing.folders.items())
        manifest = Manifest(tuple(files), tuple(links), tuple(folders))
        write_manifest(folder, manifest)
        while True:
            place = place_for(store, _tree_digest(listing, digests))
            if place.manifest is not None:  # Another launcher was faster.
                return place, digests
            try:
                os.rename(folder, place.folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return place._replace(manifest=manifest), digests


def _previous(folder: str) -> tuple[str, Manifest]:
    """Return the tree made last and its manifest, which unchanged files are linked from."""
    try:
        return f"{folder}/{TREE}", read_manifest(folder)
    except StoreError:
        return "", Manifest()


def _fill(
    tree: str, listing: Listing, digests: Digests, previous: tuple[str, Manifest]
) -> tuple[list[FrozenFile], Digests]:
    """Fill a new tree; return its files, and the digests of what was copied in the end."""
    os.mkdir(tree)
    for folder, mode in sorted(listing.folders.items()):
        os.mkdir(f"{tree}/{folder}", mode)
    for link, target in listing.links.items():
        os.symlink(target, f"{tree}/{link}")
    files, copied = [], {}
    for path, (entry, digest) in sorted(digests.items()):
        file = _link_previous(f"{tree}/{path}", entry, digest, previous)
        if file is None:
            try:
                stamp, digest, copy = freeze_file(entry.source, f"{tree}/{path}")
            except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
                continue
            entry = entry._replace(stamp=stamp)
            mode = stat.S_IMODE(copy.st_mode)
            file = FrozenFile(path, stamp.mode, digest, copy.st_size, copy.st_mtime_ns, mode)
        files.append(file)
        copied[path] = entry, digest
    return files, copied


def _link_previous(
    target: str, entry: Entry, digest: str, previous: tuple[str, Manifest]
) -> FrozenFile | None:
    """Link a file from the tree made last, if it is there, intact; else return None."""
    tree, manifest = previous
    file = manifest.by_digest.get((digest, entry.stamp.mode & ~0o222))
    if file is None or not is_intact(f"{tree}/{file.path}", file):
        return None
    try:
        os.link(f"{tree}/{file.path}", target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return None
    return file._replace(path=entry.path, mode=entry.stamp.mode)
