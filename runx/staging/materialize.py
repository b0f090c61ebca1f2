"""A run's own working tree of the frozen code: links, reflinks or copies, and its permissions."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runx.errors import StagingError
from runx.staging.copying import NO_LINK, copy_file, make_reflink
from runx.staging.store import MODES, NEW, FrozenCode, FrozenFile, StagingMethod, new_folder

_UNGUARDED = "read-only files can be changed here, as by root"


def method_for(
    mode: str, store: Path, parent: Path, as_root: bool
) -> tuple[StagingMethod, str | None]:
    """Return how the runs of a launch get their code, and a message about it or None.

    ``mode`` is the value of CODE_STAGING, ``parent`` the folder of the runs. ``as_root``: runs may
    write to read-only files (root, containers); whether this process may is tried.

    Raises:
        StagingError: There is no such mode, or the file system can't do what it asks for.
    """
    from difflib import get_close_matches

    if mode not in MODES:
        near = get_close_matches(mode, MODES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(MODES)}"
        raise StagingError(f"CODE_STAGING: {mode}: unknown; {hint}")
    if mode == "none":
        return StagingMethod.NONE, "CODE_STAGING none: runs see the project as it changes"
    if mode == "copy":
        return StagingMethod.COPY, None
    try:
        os.makedirs(store / NEW, exist_ok=True)
        os.makedirs(parent, exist_ok=True)
        return _try_methods(mode, store, parent, as_root)
    except OSError as error:
        raise StagingError(f"{error.filename}: can't be written: {error.strerror}") from error


def _try_methods(
    mode: str, store: Path, parent: Path, as_root: bool
) -> tuple[StagingMethod, str | None]:
    with new_folder(f"{store}") as folder:
        sample = f"{folder}/sample"
        descriptor = os.open(sample, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        os.write(descriptor, b"#" * 4096)
        os.close(descriptor)
        if mode != "link" and _can_reflink(sample, parent):
            return StagingMethod.REFLINK, None
        if mode == "reflink":
            raise StagingError(
                f"{parent}: CODE_STAGING: reflink: this file system has none; "
                "auto takes links or copies"
            )
        guarded = not as_root and not _can_write(sample)
        if mode == "link":
            return StagingMethod.LINK, None if guarded else f"CODE_STAGING link: {_UNGUARDED}"
        if not guarded:
            return StagingMethod.COPY, f"each run gets a copy of the code: {_UNGUARDED}"
        if not _can_link(sample, parent):
            return (
                StagingMethod.COPY,
                "each run gets a copy of the code: hard links can't be made here",
            )
        return StagingMethod.LINK, None


def _can_write(sample: str) -> bool:
    """Return whether a read-only file can be opened for writing nevertheless."""
    try:
        os.close(os.open(sample, os.O_WRONLY | os.O_CLOEXEC))
    except PermissionError:
        return False
    return True


def _can_reflink(sample: str, parent: Path) -> bool:
    target = f"{parent}/.{os.urandom(8).hex()}"
    origin = os.open(sample, os.O_RDONLY | os.O_CLOEXEC)
    sink = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        return make_reflink(origin, sink)
    finally:
        os.close(sink)
        os.close(origin)
        os.unlink(target)


def _can_link(sample: str, parent: Path) -> bool:
    target = f"{parent}/.{os.urandom(8).hex()}"
    try:
        os.link(sample, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    os.unlink(target)
    return True


def stage(frozen: FrozenCode, into: Path, method: StagingMethod) -> None:
    """Make a run's own working tree at a new path, whose parent exists.

    Folders are the run's own. Files are hard links to the frozen ones, which are read-only, or
    else reflinks or copies. With Method.NONE the path is a link to the project itself.

    Raises:
        StagingError: The path exists, the frozen code is incomplete, or the disk is full.
    """
    tree, base = f"{frozen.dir}", f"{into}"
    try:
        if method is StagingMethod.NONE:
            os.symlink(tree, base)
            return
        os.mkdir(base)
        for folder, mode in frozen.manifest.folders:
            os.mkdir(f"{base}/{folder}", mode)
        for path, target in frozen.manifest.links:
            os.symlink(target, f"{base}/{path}")
        _FILL[method](f"{tree}/", f"{base}/", frozen.manifest.files)
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


def _reflink(tree: str, base: str, files: Iterable[FrozenFile]) -> None:
    for file in files:
        copy_file(tree + file.path, base + file.path, file.mode, clone=True)


_FILL: dict[StagingMethod, Callable[[str, str, Iterable[FrozenFile]], None]] = {
    StagingMethod.LINK: _link,
    StagingMethod.COPY: _copy,
    StagingMethod.REFLINK: _reflink,
}


def _reason(error: OSError, tree: str, base: str) -> str:
    """Return in one line why a tree can't be made."""
    name = os.fspath(error.filename2 or error.filename or base)
    if isinstance(error, FileExistsError):
        return f"{name}: already there; a run's code goes where nothing is"
    if isinstance(error, FileNotFoundError) and os.path.isdir(os.path.dirname(base)):
        return f"{tree}: frozen code is gone or incomplete; launch again to freeze it anew"
    return f"{name}: the run's code can't be put there: {error.strerror}"


def set_modes(directory: Path, mode: int) -> None:
    """Set the mode of a directory and all that lies in it; symbolic links are not followed.

    A hard link to a frozen file stays as protected as that: where its mode differs it is replaced
    by a copy, and it is never made writable.
    """
    for path, status in _tree(os.fspath(directory)):
        is_folder = stat.S_ISDIR(status.st_mode)
        before = stat.S_IMODE(status.st_mode)
        is_shared = not is_folder and status.st_nlink > 1
        after = _mode(mode, before, is_folder) & (~0o222 if is_shared else ~0)
        if after == before:
            continue
        if is_shared:
            _replace_by_copy(path, after)
        else:
            os.chmod(path, after)


def _mode(mode: int, before: int, is_folder: bool) -> int:
    """Return the mode that a folder or file gets: files become executable only if they were.

    >>> [oct(_mode(0o2775, *of)) for of in ((0o640, False), (0o750, False), (0o700, True))]
    ['0o664', '0o775', '0o2775']
    """
    if is_folder:
        return mode | before & 0o7000
    executable = 0o111 if before & 0o111 else 0
    return mode & (0o666 | executable) | before & 0o7000


def _replace_by_copy(path: str, mode: int) -> None:
    """Replace a hard link by a copy of the file."""
    beside = f"{path}.{os.urandom(8).hex()}"
    copy_file(path, beside, mode)
    os.replace(beside, path)


def _tree(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a folder and all in it; each folder is listed before what is in it changes."""
    yield top, os.lstat(top)
    pending = [top]
    while pending:
        with os.scandir(pending.pop()) as entries:
            listed = [entry for entry in entries if not entry.is_symlink()]
        for entry in listed:
            if entry.is_dir():
                pending.append(entry.path)
            yield entry.path, entry.stat(follow_symlinks=False)
