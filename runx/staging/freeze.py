"""The project as it is in a commit, rather than as it lies there."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from runx.errors import StagingError, StoreError
from runx.rundir.files import write_whole
from runx.staging import copying, git
from runx.staging.copying import NO_LINK, freeze_file, read_steadily
from runx.staging.ignore import sieve
from runx.staging.links import linked_names, with_files, with_links, with_moved_links
from runx.staging.store import (
    MAKING,
    TREE,
    WORKTREE,
    Frozen,
    FrozenFile,
    Manifest,
    Place,
    Rules,
    digest_of,
    intact,
    making,
    place_for,
    read_manifest,
    write_manifest,
)
from runx.staging.walk import Entry, Listing, check_size, walk

if TYPE_CHECKING:
    from collections.abc import Mapping


MODULES = "submodules"


SUBMODULE = "160000"


def source_of(rules: Rules, store: Path) -> tuple[Path, str, tuple[str, ...]]:
    """Find the folder that is to be frozen, the commit it is of, and what is to be said of it.

    A commit is written once, beside the frozen code, and from then on found by its name.
    """
    if rules.source == WORKTREE:
        return rules.root, "", ()
    commit = commit_of(rules.root, rules.source)
    prefix = git.answer_to(rules.root, ["rev-parse", "--show-prefix"]).removesuffix("\n")
    place = hashlib.blake2b(prefix.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    kept = store / f"from-{commit}-{place}"
    if not kept.exists():
        with making(str(store)) as folder:
            modules = check_out(rules.root, commit, Path(folder, TREE))
            write_whole(f"{folder}/{MODULES}", "\0".join(modules))
            _publish(Path(folder), kept)
    source = kept / TREE / prefix
    if not source.is_dir():
        raise StagingError(f"{rules.root}: CODE_FROM: there is nothing here in {rules.source}")
    left = (kept / MODULES).read_text(encoding="utf-8", errors="surrogateescape")
    said = f"CODE_FROM: {rules.source}: submodules are left out: {left.replace(chr(0), ', ')}"
    return source, commit, (said,) if left else ()


def _publish(folder: Path, kept: Path) -> None:
    """Rename a checkout into place, unless another launcher was faster."""
    try:
        folder.rename(kept)
    except OSError:
        if not kept.exists():
            raise


def commit_of(root: Path, revision: str) -> str:
    """Find the commit that a revision names, or say that there is none."""
    if not git.is_checkout(root):
        raise StagingError(
            f"{root}: CODE_FROM: {revision} needs a git checkout; CODE_FROM: worktree takes any"
        )
    words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    answer = git.asked(root, words)
    if answer is None:
        raise StagingError(f"{root}: CODE_FROM: {revision} needs git; install it")
    if answer.status != 0:
        raise StagingError(
            f"{root}: CODE_FROM: git knows no revision {revision}: "
            f"{answer.errors.strip() or '`git log --all --oneline` lists what there is'}"
        )
    return answer.output.strip()


def check_out(root: Path, commit: str, into: Path) -> tuple[str, ...]:
    """Write what lies in root in a commit to a new folder, as git would write it to the worktree.

    Names the submodules, which are not written.
    """
    from tempfile import TemporaryDirectory

    into.mkdir()
    with TemporaryDirectory(prefix="runx-") as folder:
        apart: dict[str, str | None] = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.answer_to(root, ["read-tree", commit], apart)
        listed = git.answer_to(root, ["ls-files", "--stage", "-z", "--", "."], apart)
        staged = [line.split("\t", 1) for line in listed.split("\0")[:-1]]
        names = [name for about, name in staged if not about.startswith(SUBMODULE)]
        words = ["checkout-index", "--force", f"--prefix={into}/", "-z", "--stdin"]
        git.answer_to(root, words, apart, "".join(f"{name}\0" for name in names))
    return tuple(name for about, name in staged if about.startswith(SUBMODULE))


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
    since = copying.moment(f"{store}/{MAKING}")
    index = copying.read_index(f"{store}")
    read, anew = _read(listing, index)
    digest = _digest(listing, read)
    found = place_for(f"{store}", digest)
    place = found
    if found.manifest is None:
        place, read = _made(f"{store}", listing, read, index.tree)
        digest = _digest(listing, read)
    tree = os.path.basename(place.folder)
    if anew or tree != index.tree or len(read) != len(index.files):
        copying.write_index(f"{store}", copying.indexed(tree, read.values(), since))
    return Frozen(
        digest=digest,
        dir=Path(place.folder, TREE),
        manifest=place.manifest or Manifest(),
        left_out=listing.left_out,
        reused=found.manifest is not None,
        warnings=(*notes, *listing.warnings, *found.warnings),
        commit=commit,
    )


def _read(listing: Listing, index: copying.Index) -> tuple[Read, int]:
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
