"""Choosing how runs get their code, by what the file system and the user can do."""

from __future__ import annotations

import os
from pathlib import Path

from runx.errors import StagingError
from runx.staging.copying import NO_LINK, cloned
from runx.staging.rules import MODES, Method
from runx.staging.storing import MAKING, making

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
