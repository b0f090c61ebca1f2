"""Turns: a lock over several hosts, so that one launcher at a time adds or removes runs."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runx.errors import RunxError, StoreError
from runx.locks import acquire, is_held, is_seen_by_all
from runx.rundir.claims import claim_text, link_claim
from runx.rundir.files import is_blank, is_full, read_json
from runx.rundir.machines import is_alive, is_process_alive, locality_of, this_machine
from runx.rundir.paths import ExperimentDir

_TIMEOUT = 300.0  # seconds to wait for the turn of another launcher
_LOCKED_AFTER = 5.0  # seconds within which a new holder locks its claim
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
    number = _take(folder, say, is_needed)
    lock = None if number is None else _locked(folder / f"{number}.claim")
    try:
        yield number is not None
    finally:
        if lock is not None:
            os.close(lock)
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


@contextmanager
def unless_empty(experiment: ExperimentDir, is_new: bool) -> Iterator[None]:
    """Remove a new experiment again, at the end, of which no run could be made.

    The caller has the turn.
    """
    try:
        yield
    finally:
        with suppress(OSError):
            if is_new and not any(path.name != ".runx" for path in experiment.path.iterdir()):
                # Renamed first: whoever waits for the turn begins anew.
                gone = experiment.path.with_name(f".{experiment.path.name}.{secrets.token_hex(4)}")
                experiment.path.rename(gone)
                shutil.rmtree(gone)


def _take(folder: Path, say: Callable[[str], None], is_needed: bool) -> int | None:
    """Wait for the turn; return its number, or None where no claim can be written or is needed."""
    deadline, is_said = time.monotonic() + _TIMEOUT, False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
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
    return holder if _is_alive(holder, folder / f"{number}.claim") is not False else None


def _is_alive(holder: dict[str, Any], claim: Path) -> bool | None:
    """Return whether the holder of a turn lives; in another container, its lock tells."""
    locality = locality_of(holder, this_machine())
    if locality != "beside" or "namespace" not in holder:
        return is_process_alive(holder, this_machine())
    if time.time() - holder.get("time", 0.0) < _LOCKED_AFTER:
        return None
    return is_alive(locality, locked=is_held(claim), is_lock_global=is_seen_by_all(claim))


def _locked(claim: Path) -> int | None:
    """Lock a claim of this process; return None where its file system has no locks."""
    try:
        return acquire(claim)
    except OSError:
        return None


def _remove_before(folder: Path, newest: int) -> None:
    """Remove the files of earlier turns."""
    for path in folder.iterdir():
        number = path.stem
        if number.isdecimal() and int(number) < newest:
            path.unlink(missing_ok=True)
