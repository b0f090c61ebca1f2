"""Choosing how runs get their code, by what the file system and the user can do."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runx.errors import StagingError
from runx.staging.copying import NO_LINK, cloned, copy_file
from runx.staging.store import MAKING, MODES, Frozen, FrozenFile, Method, making

UNGUARDED = "read-only files don't stop this user or file system from changing them"


def method_for(
    mode: str, store: Path, into_parent: Path, as_root: bool
) -> tuple[Method, str | None]:
    """Choose, once for a launch, how runs get their code, and what to tell about it.

    ``as_root`` says that runs may write to read-only files (root, containers); that this process
    can is found out. Asked for by name, a method is taken, or refused where it can't be.
    """
    from difflib import get_close_matches

    if mode not in MODES:
        near = get_close_matches(mode, MODES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(MODES)}"
        raise StagingError(f"CODE_STAGING: {mode}: unknown; {hint}")
    if mode == "none":
        return Method.NONE, "CODE_STAGING none: runs see the project as it changes"
    if mode == "copy":
        return Method.COPY, None
    try:
        os.makedirs(store / MAKING, exist_ok=True)
        os.makedirs(into_parent, exist_ok=True)
        return _tried(mode, store, into_parent, as_root)
    except OSError as error:
        raise StagingError(f"{error.filename}: can't be written: {error.strerror}") from error


def _tried(mode: str, store: Path, parent: Path, as_root: bool) -> tuple[Method, str | None]:
    with making(f"{store}") as folder:
        sample = f"{folder}/sample"
        descriptor = os.open(sample, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        os.write(descriptor, b"#" * 4096)
        os.close(descriptor)
        if mode != "link" and _clones(sample, parent):
            return Method.REFLINK, None
        if mode == "reflink":
            raise StagingError(
                f"{parent}: CODE_STAGING: reflink: this file system has none; "
                "auto takes links or copies"
            )
        guarded = not as_root and not _writable(sample)
        if mode == "link":
            return Method.LINK, None if guarded else f"CODE_STAGING link: {UNGUARDED}"
        if not guarded:
            return Method.COPY, f"each run gets a copy of the code: {UNGUARDED}"
        if not _links(sample, parent):
            return Method.COPY, "each run gets a copy of the code: hard links can't be made here"
        return Method.LINK, None


def _writable(sample: str) -> bool:
    """Tell whether a read-only file can be opened for writing nevertheless."""
    try:
        os.close(os.open(sample, os.O_WRONLY | os.O_CLOEXEC))
    except PermissionError:
        return False
    return True


def _clones(sample: str, parent: Path) -> bool:
    target = f"{parent}/.{os.urandom(8).hex()}"
    origin = os.open(sample, os.O_RDONLY | os.O_CLOEXEC)
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        return cloned(origin, sink)
    finally:
        os.close(sink)
        os.close(origin)
        os.unlink(target)


def _links(sample: str, parent: Path) -> bool:
    target = f"{parent}/.{os.urandom(8).hex()}"
    try:
        os.link(sample, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    os.unlink(target)
    return True


def stage(frozen: Frozen, into: Path, method: Method) -> None:
    """Make a run's own working tree, where nothing is yet; the folder around it is there.

    Folders are the run's own. Files are hard links to the frozen ones, which refuse to be
    changed, or else reflinks or copies. Method.NONE leads to the project itself.
    """
    tree, base = f"{frozen.dir}", f"{into}"
    try:
        if method is Method.NONE:
            os.symlink(tree, base)
            return
        os.mkdir(base)
        for folder, mode in frozen.manifest.folders:
            os.mkdir(f"{base}/{folder}", mode)
        for path, target in frozen.manifest.links:
            os.symlink(target, f"{base}/{path}")
        _LAY[method](f"{tree}/", f"{base}/", frozen.manifest.files)
    except OSError as error:
        raise StagingError(_reason(error, tree, base)) from error


def _link(tree: str, base: str, files: Iterable[FrozenFile]) -> None:
    link = os.link  # Once for each file of each run: nothing is looked up twice.
    for file in files:
        path = file[0]
        try:
            link(tree + path, base + path)
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            copy_file(tree + path, base + path, file.mode)


def _copy(tree: str, base: str, files: Iterable[FrozenFile]) -> None:
    for file in files:
        copy_file(tree + file.path, base + file.path, file.mode)


def _clone(tree: str, base: str, files: Iterable[FrozenFile]) -> None:
    for file in files:
        copy_file(tree + file.path, base + file.path, file.mode, clone=True)


_LAY: dict[Method, Callable[[str, str, Iterable[FrozenFile]], None]] = {
    Method.LINK: _link,
    Method.COPY: _copy,
    Method.REFLINK: _clone,
}


def _reason(error: OSError, tree: str, base: str) -> str:
    """Say on one line why a tree can't be made."""
    name = os.fspath(error.filename2 or error.filename or base)
    if isinstance(error, FileExistsError):
        return f"{name}: already there; a run's code goes where nothing is"
    if isinstance(error, FileNotFoundError) and os.path.isdir(os.path.dirname(base)):
        return f"{tree}: frozen code is gone or incomplete; launch again to freeze it anew"
    return f"{name}: the run's code can't be put there: {error.strerror}"


def open_to(directory: Path, mode: int) -> None:
    """Give a mode to all that lies in a directory of ours, links not followed.

    What shares a frozen file stays as protected as that: it gets a copy of its own where the mode
    differs from what is there, and never the permission to write.
    """
    for path, about in _tree(os.fspath(directory)):
        folder = stat.S_ISDIR(about.st_mode)
        before = stat.S_IMODE(about.st_mode)
        shared = not folder and about.st_nlink > 1
        wanted = _wanted(mode, before, folder) & (~0o222 if shared else ~0)
        if wanted == before:
            continue
        if shared:
            _part(path, wanted)
        else:
            os.chmod(path, wanted)


def _wanted(mode: int, before: int, folder: bool) -> int:
    """Return the mode that a folder or file gets: files become executable only if they were.

    >>> [oct(_wanted(0o2775, *of)) for of in ((0o640, False), (0o750, False), (0o700, True))]
    ['0o664', '0o775', '0o2775']
    """
    if folder:
        return mode | before & 0o7000
    executable = 0o111 if before & 0o111 else 0
    return mode & (0o666 | executable) | before & 0o7000


def _part(path: str, mode: int) -> None:
    """Give a run a file of its own in place of one it shares."""
    beside = f"{path}.{os.urandom(8).hex()}"
    copy_file(path, beside, mode)
    os.replace(beside, path)


def _tree(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Give a folder and all folders and files in it; the names first, so that none is met twice."""
    yield top, os.lstat(top)
    pending = [top]
    while pending:
        with os.scandir(pending.pop()) as entries:
            found = [entry for entry in entries if not entry.is_symlink()]
        for entry in found:
            if entry.is_dir():
                pending.append(entry.path)
            yield entry.path, entry.stat(follow_symlinks=False)
