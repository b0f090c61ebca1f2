"""Turns: a lock over several hosts, so that one launcher at a time adds or removes runs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runx.errors import RunxError, StoreError
from runx.rundir.attempts import is_process_alive, this_machine
from runx.rundir.claims import claim_text, link_claim
from runx.rundir.files import is_blank, is_full, read_json
from runx.rundir.paths import ExperimentDir

_TIMEOUT = 300.0  # seconds to wait for the turn of another launcher
_PAUSE = 0.1  # seconds between two tries


@contextmanager
def turn(
    experiment: ExperimentDir, say: Callable[[str], None], is_needed: bool = True
) -> Iterator[bool]:
    """Wait until no other launcher has the turn, and hold it in the context; yield whether it is.

    It is not where the disk is full, which takes no claim, and it is not ``is_needed``.

    Turns are numbered claims, and no number is used twice: the next one can be claimed after its
    holder has died without ever breaking the lock of a live one. Raises RunxError after 300 s.
    """
    folder = experiment.turns
    folder.mkdir(parents=True, exist_ok=True)
    number = _take(folder, say, is_needed)
    try:
        yield number is not None
    finally:
        if number is not None and folder.is_dir():
            _give_back(folder, number)


def _give_back(folder: Path, number: int) -> None:
    """End a turn: by a further file, or on a full disk by making its claim blank, in its place."""
    try:
        (folder / f"{number}.over").touch()
    except OSError as error:
        if not is_full(error):
            raise
        with (folder / f"{number}.claim").open("r+b") as claim:
            claim.write(b" " * os.fstat(claim.fileno()).st_size)


def clear_unfinished(experiment: ExperimentDir) -> None:
    """Remove directories that killed launchers had begun to make, or to remove.

    The caller has the turn: no other launcher uses them. What can't be removed, as a file that a
    process on another machine has open on NFS, is left for the next time.
    """
    for folder in experiment.making.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def _take(folder: Path, say: Callable[[str], None], is_needed: bool) -> int | None:
    """Wait for the turn; return its number, or None where no claim can be written or is needed."""
    deadline, is_said = time.monotonic() + _TIMEOUT, False
    while True:
        newest = max(_numbers(folder), default=0)
        holder = _holder(folder, newest)
        if holder is None:
            try:
                is_first = link_claim(folder / f"{newest + 1}.claim", claim_text(None, None))
            except OSError as error:
                if is_needed or not is_full(error):
                    raise
                return None
            if is_first:
                if max(_numbers(folder)) == newest + 1:
                    _remove_before(folder, newest)
                    return newest + 1
                # A slow process may link a number that others have taken and removed.
                (folder / f"{newest + 1}.claim").unlink(missing_ok=True)
            continue
        if not is_said:
            say(f"waiting for the launcher {holder['pid']} on {holder['host']} to place its runs")
            is_said = True
        if time.monotonic() > deadline:
            raise RunxError(
                f"{folder}/{newest}.claim: held by process {holder['pid']} on {holder['host']};"
                " if that is gone, remove the file"
            )
        time.sleep(_PAUSE)


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.claim") if path.stem.isdecimal()]


def _holder(folder: Path, number: int) -> dict[str, Any] | None:
    """Return the process that holds a turn, None where the turn is over or the process dead."""
    if number == 0 or (folder / f"{number}.over").exists():
        return None
    try:
        holder = read_json(folder / f"{number}.claim")
    except StoreError:
        claim = folder / f"{number}.claim"
        is_void = not claim.exists() or is_blank(claim)
        return None if is_void else {"pid": "?", "host": "?"}
    return None if is_process_alive(holder, this_machine()) is False else holder


def _remove_before(folder: Path, newest: int) -> None:
    """Remove the files of earlier turns."""
    for path in folder.iterdir():
        number = path.stem
        if number.isdecimal() and int(number) < newest:
            path.unlink(missing_ok=True)
