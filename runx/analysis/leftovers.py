"""What a script left in its run: files with metrics below LOGDIR, and in its working directory.

Of the frozen code that is the working directory only what the run has changed counts.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from runx.errors import StagingError, StoreError
from runx.readers.files import DEEPEST, FoundFile, find, is_entered, recognised
from runx.rundir.paths import (
    ATTEMPTS,
    HPARAMS,
    LOGX,
    ORDERS,
    RECORD,
    STEPS,
    ExperimentDir,
    RunDir,
)
from runx.rundir.record import staged_code
from runx.rundir.runfiles import RunFiles
from runx.staging.copying import read_steadily
from runx.staging.store import TREE, FrozenFile, Manifest, read_manifest

_OURS = frozenset(
    {ATTEMPTS, ORDERS, RECORD, HPARAMS, LOGX, STEPS, "code", "artifacts", "system.csv"}
)
_CODE = re.compile(r"code\.(\d+|\w+\.new)")
_FOLDERS = 5_000
"""Frozen folders that are looked at for new files."""
_EVENTS = "tfevents"
_LOGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt")


def files_left(look: RunFiles) -> list[FoundFile]:
    """Return the files with metrics that a run's script has left, and note what was looked at.

    Of a directory that runx did not make only the files in it itself count: those in folders may be
    other runs'.
    """
    is_run = any(os.path.lexists(f"{look.path}/{name}") for name in (RECORD, HPARAMS))
    own = find(look.path, [""], _is_foreign, look.note, DEEPEST if is_run else 0)
    return [*own, *_changed(look)]


def _is_foreign(name: str) -> bool:
    """Return whether a name in a run's directory is none that runx gives."""
    return name not in _OURS and not _CODE.fullmatch(name)


def _changed(look: RunFiles) -> Iterator[FoundFile]:
    """Yield the files with metrics that are new in the code of a run, or that it has changed."""
    try:
        made = os.lstat(f"{look.path}/{RECORD}").st_mtime_ns
        if not stat.S_ISDIR(os.lstat(f"{look.path}/code").st_mode):
            return  # A link to the project, which other runs write to as well.
    except OSError:
        return
    store = _store(RunDir(look.path))
    frozen = _frozen(store)
    changed = []
    for folder in frozen.folders:
        look.note(folder)
        # What was added to a folder since the run was made has changed the folder.
        if folder in look.stamps and look.stamps[folder][0] >= made:
            changed.append(folder)
    yield from find(look.path, changed, _is_new(look.path, frozen, made), look.note)
    for file in frozen.logs:
        name = f"code/{file.path}"
        look.note(name)
        if _has_changed(f"{look.path}/{name}", file, f"{store}/{TREE}/{file.path}") and (
            found := recognised(look.path, name, look.note)
        ):
            yield found


class _Frozen(NamedTuple):
    """What was frozen of a run's code: all names, the folders to look into, files that may be logs.

    ``files`` are all, by their paths.
    """

    names: frozenset[str]
    folders: tuple[str, ...]
    logs: tuple[FrozenFile, ...]
    files: Mapping[str, FrozenFile]


@lru_cache(maxsize=16)
def _frozen(store: str) -> _Frozen:
    """Return what the manifest beside a frozen tree says, which never changes."""
    try:
        manifest = read_manifest(store)
    except StoreError:
        manifest = Manifest()
    inside = ["code", *(f"code/{path}" for path, _ in manifest.folders)]
    files = {file.path: file for file in manifest.files}
    return _Frozen(
        frozenset({*inside, *(f"code/{path}" for path in files)}),
        tuple(folder for folder in inside[:_FOLDERS] if all(map(is_entered, folder.split("/")))),
        tuple(file for file in manifest.files if file.path.endswith(_LOGS) or _EVENTS in file.path),
        files,
    )


def _is_new(run: str, frozen: _Frozen, made: int) -> Callable[[str], bool]:
    """Return a function that returns whether a name in the code of a run was not frozen."""
    if frozen.files:
        return lambda name: name not in frozen.names
    # Where it isn't known any more what was frozen, the times must do.
    return lambda name: os.lstat(f"{run}/{name}").st_mtime_ns >= made


def _has_changed(path: str, file: FrozenFile, origin: str) -> bool:
    """Return whether a run has changed a frozen file.

    A copy of an experiment has other times: there the content decides. A hard link to the frozen
    file is every run's: whoever has changed that, it says nothing of this run.
    """
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return False
        if (status.st_size, status.st_mtime_ns) == (file.size, file.mtime):
            return False
        if os.path.lexists(origin) and os.path.samestat(status, os.lstat(origin)):
            return False
        return status.st_size != file.size or read_steadily(path)[1] != file.digest
    except (OSError, StagingError):
        return False  # Gone, or still being written: it is looked at again.


def _store(run: RunDir) -> str:
    """Return the folder of the frozen tree that a run's code was made from."""
    return f"{ExperimentDir(run.path.parent).code}/{staged_code(run)}"


def locate(look: RunFiles, file: str) -> str | None:
    """Return the name in a run of a file that METRICS names: below LOGDIR, then below its code.

    None where there is none, or one that was frozen with the code and not changed, or one behind a
    link that leaves the run.
    """
    for name in (file, f"code/{file}"):
        _note_with_folders(look, name)
        path = f"{look.path}/{name}"
        inside = os.path.realpath(path).startswith(f"{os.path.realpath(look.path)}/")
        if os.path.isfile(path) and inside and (name == file or _is_of_run(look, file)):
            return name
    return None


def _note_with_folders(look: RunFiles, name: str) -> None:
    """Note a file and the folders that it is in: a file that is missing changes one of them."""
    while name:
        look.note(name)
        name = os.path.dirname(name)


def _is_of_run(look: RunFiles, path: str) -> bool:
    """Return whether a file in a run's code was written by the run."""
    store = _store(RunDir(look.path))
    frozen = _frozen(store).files.get(path)
    return frozen is None or _has_changed(
        f"{look.path}/code/{path}", frozen, f"{store}/{TREE}/{path}"
    )
