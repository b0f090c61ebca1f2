"""Making a run's own working tree of frozen code, so that no run changes what another sees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from runx.errors import StagingError
from runx.staging.copying import NO_LINK, copy_file
from runx.staging.frozen import Frozen
from runx.staging.manifests import FrozenFile
from runx.staging.rules import Method


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
