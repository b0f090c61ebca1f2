"""Freezing code: once for each distinct content, found again without reading anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from runx.errors import StagingError, StoreError
from runx.staging import statindex
from runx.staging.additions import linked_names, with_files, with_links
from runx.staging.copying import NO_LINK, freeze_file, read_steadily
from runx.staging.frozen import Frozen
from runx.staging.linking import with_moved_links
from runx.staging.listing import Entry, Listing
from runx.staging.manifests import (
    TREE,
    FrozenFile,
    Manifest,
    digest_of,
    intact,
    read_manifest,
    write_manifest,
)
from runx.staging.revisions import source_of
from runx.staging.rules import WORKTREE, Rules
from runx.staging.sieve import sieve
from runx.staging.storing import MAKING, Place, making, place_for
from runx.staging.walking import walk
from runx.staging.weighing import check_size

Read: TypeAlias = "Mapping[str, tuple[Entry, str]]"
"""What was found in each file, by its name in the tree."""


def freeze(rules: Rules, store: Path) -> Frozen:
    """Freeze the code that the rules name; ``store`` is the experiment's folder for it."""
    if rules.mode == "none":
        return Frozen(digest="", dir=rules.root.resolve())
    try:
        os.makedirs(store / MAKING, exist_ok=True)
        return _frozen(replace(rules, root=rules.root.resolve()), store.resolve())
    except OSError as error:
        where = error.filename2 or error.filename or store
        raise StagingError(
            f"{os.fspath(where)}: can't freeze the code: {error.strerror}"
        ) from error


def listed(rules: Rules, source: Path) -> Listing:
    """List what is frozen of a folder that stands for the project: itself, or a checkout."""
    linked = linked_names(rules.root, rules.links)
    gitignore = rules.gitignore and rules.source == WORKTREE
    chosen, warning = sieve(source, rules.ignore, rules.exclude, gitignore)
    walked = with_moved_links(walk(source, chosen, linked), os.fspath(rules.root), linked)
    listing = with_files(with_links(walked, rules.root, linked), rules.files)
    sizes = {path: entry.stamp.size for path, entry in listing.files.items()}
    check_size(rules.root, sizes, rules.max_size)
    return replace(listing, warnings=(*filter(None, [warning]), *listing.warnings))


def _frozen(rules: Rules, store: Path) -> Frozen:
    source, commit, notes = source_of(rules, store)
    listing = listed(replace(rules, exclude=(*rules.exclude, store)), source)
    since = statindex.moment(f"{store}/{MAKING}")
    index = statindex.read_index(f"{store}")
    read, anew = _read(listing, index)
    digest = _digest(listing, read)
    found = place_for(f"{store}", digest)
    place = found
    if found.manifest is None:
        place, read = _made(f"{store}", listing, read, index.tree)
        digest = _digest(listing, read)
    tree = os.path.basename(place.folder)
    if anew or tree != index.tree or len(read) != len(index.files):
        statindex.write_index(f"{store}", statindex.indexed(tree, read.values(), since))
    return Frozen(
        digest=digest,
        dir=Path(place.folder, TREE),
        manifest=place.manifest or Manifest(),
        left_out=listing.left_out,
        reused=found.manifest is not None,
        warnings=(*notes, *listing.warnings, *found.warnings),
        commit=commit,
    )


def _read(listing: Listing, index: statindex.Index) -> tuple[Read, int]:
    """Find what each file contains: as the index has it, or by reading, and how many were read."""
    read: dict[str, tuple[Entry, str]] = {}
    anew = 0
    for path, entry in listing.files.items():
        content = index.content(entry)
        if content is None:
            try:
                stamp, content = read_steadily(entry.source)
            except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
                continue
            entry = entry._replace(stamp=stamp)
            anew += 1
        read[path] = entry, content
    return read, anew


def _digest(listing: Listing, read: Read) -> str:
    files = [(path, entry.stamp.mode, content) for path, (entry, content) in read.items()]
    return digest_of(files, listing.links.items(), listing.folders.items())


def _made(store: str, listing: Listing, read: Read, last: str) -> tuple[Place, Read]:
    """Make a frozen tree beside the others and rename it into place."""
    with making(store) as folder:
        files, read = _filled(f"{folder}/{TREE}", listing, read, _previous(f"{store}/{last}"))
        links, folders = sorted(listing.links.items()), sorted(listing.folders.items())
        manifest = Manifest(tuple(files), tuple(links), tuple(folders))
        write_manifest(folder, manifest)
        while True:
            place = place_for(store, _digest(listing, read))
            if place.manifest is not None:  # Another launcher was faster.
                return place, read
            try:
                os.rename(folder, place.folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return place._replace(manifest=manifest), read


def _previous(folder: str) -> tuple[str, Manifest]:
    """Find the tree made last: what hasn't changed since is shared with it."""
    try:
        return f"{folder}/{TREE}", read_manifest(folder)
    except StoreError:
        return "", Manifest()


def _filled(
    tree: str, listing: Listing, read: Read, previous: tuple[str, Manifest]
) -> tuple[list[FrozenFile], Read]:
    """Fill a new tree; give its files, and what was read in the end."""
    os.mkdir(tree)
    for folder, mode in sorted(listing.folders.items()):
        os.mkdir(f"{tree}/{folder}", mode)
    for link, target in listing.links.items():
        os.symlink(target, f"{tree}/{link}")
    files, taken = [], {}
    for path, (entry, content) in sorted(read.items()):
        file = _shared(f"{tree}/{path}", entry, content, previous)
        if file is None:
            try:
                stamp, content, lies = freeze_file(entry.source, f"{tree}/{path}")
            except FileNotFoundError:  # An editor's temporary file, gone since it was listed.
                continue
            entry = entry._replace(stamp=stamp)
            kept = stat.S_IMODE(lies.st_mode)
            file = FrozenFile(path, stamp.mode, content, lies.st_size, lies.st_mtime_ns, kept)
        files.append(file)
        taken[path] = entry, content
    return files, taken


def _shared(
    target: str, entry: Entry, content: str, previous: tuple[str, Manifest]
) -> FrozenFile | None:
    """Take a file over from the tree made last, where that has it, untouched."""
    tree, manifest = previous
    file = manifest.by_content.get((content, entry.stamp.mode & ~0o222))
    if file is None or not intact(f"{tree}/{file.path}", file):
        return None
    try:
        os.link(f"{tree}/{file.path}", target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return None
    return file._replace(path=entry.path, mode=entry.stamp.mode)
