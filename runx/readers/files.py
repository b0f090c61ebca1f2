"""The files below some folders that a reader recognises: a walk within bounds, behind no link."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from runx.readers.base import FileReader
from runx.readers.huggingface import STATE
from runx.readers.registry import file_readers
from runx.rundir.phases import phase_of_file

DEEPEST, MOST = 8, 5_000
"""How deep folders are walked into, and how many names are looked at."""
LARGEST = 1 << 28
"""Bytes of an event file that is read; of text, which takes longer, an eighth."""
NOT_ENTERED = frozenset(
    {
        *("data", "dataset", "datasets", "node_modules", "site-packages", "__pycache__", "venv"),
        *("wandb", "mlruns", "weights", "images", "samples", "cache", "tokenizer"),
    }
)
"""Folders of data, of packages, and of tools whose runs have readers of their own."""
_CHECKPOINT = re.compile(r"(?:.*[_-])?(?:checkpoint|ckpt)s?(?:[_-].*)?", re.IGNORECASE)
_NUMBERED = re.compile(r"checkpoint-(\d+)")
_DATA = re.compile(r"(?:.*[_-])?(?:data|dataset|predictions?|preds?|samples?)", re.IGNORECASE)


class FoundFile(NamedTuple):
    """A file with metrics: its name in the run, its reader, its mtime in ns, the phase it hints."""

    name: str
    reader: FileReader
    mtime: int
    hint: str = ""

    @property
    def place(self) -> str:
        """What the files of several attempts share: the name without numbers, or the folder's."""
        is_events = self.reader.name == "TensorBoard"
        name = os.path.dirname(self.name) if is_events else self.name
        return re.sub(r"\d+", "0", re.sub(r"checkpoint-\d+/", "", name))


def find(
    run: str,
    folders: Iterable[str],
    passes: Callable[[str], bool] = lambda name: True,
    note: Callable[[str], None] = lambda name: None,
    deepest: int = DEEPEST,
) -> Iterator[FoundFile]:
    """Yield the files with metrics below some folders of a run, those of folders above first.

    ``passes`` returns whether a name in the run may be looked at. ``note`` is called with each
    folder and file before it is read.
    """
    pending = deque((folder, 0) for folder in folders)
    left = MOST
    while pending and left > 0:
        folder, depth = pending.popleft()
        note(folder)
        inner, names = _parted(folder, _entries(f"{run}/{folder}"), passes)
        left -= len(inner) + len(names)
        is_checkpoint = _is_checkpoint(folder.rpartition("/")[2])
        if depth < deepest:
            pending.extend((name, depth + 1) for name in inner if not is_checkpoint)
        latest = _latest(run, inner)
        names = [] if is_checkpoint else names
        if latest is not None:
            note(latest)
            names.append(f"{latest}/{STATE}")
        for name in names:
            if (found := recognised(run, name, note)) is not None:
                yield found


def _parted(
    folder: str, entries: list[os.DirEntry[str]], passes: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Return the folders to enter and the files to look at."""
    prefix = f"{folder}/" if folder else ""
    inner, names = [], []
    for entry in entries:
        name = prefix + entry.name
        if entry.name[0] == "." or not passes(name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if is_entered(entry.name):
                inner.append(name)
        elif entry.is_file(follow_symlinks=False):
            names.append(name)
    return inner, names


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def is_entered(name: str) -> bool:
    """Return whether a folder may hold metrics; checkpoints are listed for those in them alone."""
    return name.lower() not in NOT_ENTERED


def _is_checkpoint(name: str) -> bool:
    return _CHECKPOINT.fullmatch(name) is not None


def _latest(run: str, folders: Iterable[str]) -> str | None:
    """Return the checkpoint of most steps with a trainer's state, of transformers' Trainer."""
    steps = {
        int(match[1]): folder
        for folder in folders
        if (match := _NUMBERED.fullmatch(folder.rpartition("/")[2]))
        and os.path.lexists(f"{run}/{folder}/{STATE}")
    }
    return steps[max(steps)] if steps else None


def recognised(run: str, name: str, note: Callable[[str], None]) -> FoundFile | None:
    """Return a file of a run if a reader recognises it; links, pipes and large files are none."""
    path = f"{run}/{name}"
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= LARGEST:
            return None
        if _DATA.fullmatch(os.path.basename(name).partition(".")[0]):
            return None
        reader = next((each for each in file_readers() if each.recognise(path)), None)
    except OSError:
        return None
    is_events = reader is not None and reader.name == "TensorBoard"
    if reader is None or (not is_events and status.st_size > LARGEST // 8):
        return None
    note(name)
    return FoundFile(name, reader, status.st_mtime_ns, phase_of_file(name, is_events))
