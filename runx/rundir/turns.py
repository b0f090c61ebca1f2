"""One launcher at a time decides what an experiment's runs are, on however many hosts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runx.errors import RunxError, StoreError
from runx.rundir.attempts import here, lives
from runx.rundir.claims import claim_text, link_claim
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir

_PATIENCE = 300.0  # seconds to wait for a launcher that can't be seen from here


_LOOK = 0.1


@contextmanager
def turn(experiment: ExperimentDir, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other launcher is deciding, and hold the turn meanwhile.

    Turns are numbered claims, taken by link(2): a number is never used again, so that a turn whose
    holder died can be passed over without ever taking one away from someone alive.
    """
    folder = experiment.turns
    folder.mkdir(parents=True, exist_ok=True)
    number = _taken(folder, say)
    try:
        yield
    finally:
        (folder / f"{number}.over").touch()


def _taken(folder: Path, say: Callable[[str], None]) -> int:
    deadline, told = time.monotonic() + _PATIENCE, False
    while True:
        newest = max(_numbers(folder), default=0)
        holder = _holder(folder, newest)
        if holder is None:
            if link_claim(folder / f"{newest + 1}.claim", claim_text(None, None)):
                if max(_numbers(folder)) == newest + 1:
                    _forget(folder, newest)
                    return newest + 1
                # A slow one may link a number that others have long since forgotten.
                (folder / f"{newest + 1}.claim").unlink()
            continue
        if not told:
            say(f"waiting for the launcher {holder['pid']} on {holder['host']} to place its runs")
            told = True
        if time.monotonic() > deadline:
            raise RunxError(
                f"{folder}/{newest}.claim: held by process {holder['pid']} on {holder['host']};"
                " if that is gone, remove the file"
            )
        time.sleep(_LOOK)


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.claim") if path.stem.isdecimal()]


def _holder(folder: Path, number: int) -> dict[str, Any] | None:
    """Give who holds a turn: None where it is over or its holder is dead."""
    if number == 0 or (folder / f"{number}.over").exists():
        return None
    try:
        holder = read_json(folder / f"{number}.claim")
    except StoreError:
        return None if not (folder / f"{number}.claim").exists() else {"pid": "?", "host": "?"}
    return None if lives(holder, here()) is False else holder


def _forget(folder: Path, newest: int) -> None:
    for path in folder.iterdir():
        number = path.stem
        if number.isdecimal() and int(number) < newest:
            path.unlink(missing_ok=True)
