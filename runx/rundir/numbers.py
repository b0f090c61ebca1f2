"""Numbers of experiments under LOGROOT: each is claimed once, by whoever launches it first.

``.xids/3`` is the claim of number 3; another name of the same file, made of what identifies the
experiment, leads to it. Both are made by link(2), so that no number is given twice, and none has
two, whichever machines launch at the same time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from runx.errors import SettingsError
from runx.home import user_name
from runx.rundir.claims import link_claim
from runx.rundir.files import VERSION, read_json

_FOLDER = ".xids"


class Number(NamedTuple):
    """The number of the experiment that ``key`` identifies under its LOGROOT."""

    value: int
    key: str


def foreseen(logroot: Path, key: str) -> Number:
    """Return the number of an experiment, or the one that it would get; nothing is written."""
    folder = logroot / _FOLDER
    return Number(_given(folder, key) or _next(folder), key)


def claimed(logroot: Path, key: str) -> Number:
    """Return the number of an experiment, which is claimed for it if it has none.

    Raises:
        SettingsError: LOGROOT can't be written.
    """
    folder = logroot / _FOLDER
    try:
        if number := _given(folder, key):
            return Number(number, key)
        folder.mkdir(parents=True, exist_ok=True)
        return Number(_claimed(folder, key), key)
    except OSError as error:
        raise SettingsError(
            f"LOGROOT: {folder} can't be written: {error.strerror}; {{xid}} is claimed there;"
            " set LOGROOT to a folder of yours, or leave {xid} out"
        ) from None


def hold(logroot: Path, number: Number) -> None:
    """Claim a number that was foreseen; raise a SettingsError if another experiment has it now."""
    value = claimed(logroot, number.key).value
    if value != number.value:
        raise SettingsError(
            f"{{xid}}: {number.value} has become another experiment's, {value} is this one's;"
            " load it again"
        )


def _claimed(folder: Path, key: str) -> int:
    while True:
        number = _next(folder)
        claim = {"version": VERSION, "xid": number, "experiment": key}
        text = json.dumps({**claim, "user": user_name(), "created": time.time()}) + "\n"
        if link_claim(folder / str(number), text):
            break
    try:
        os.link(folder / str(number), _name(folder, key))
    except FileExistsError:
        # Another launcher of this experiment was faster; the number of this one stays unused.
        return _given(folder, key) or number
    return number


def _given(folder: Path, key: str) -> int | None:
    """Return the number that an experiment has, None where it has none."""
    file = _name(folder, key)
    return int(read_json(file)["xid"]) if file.exists() else None


def _next(folder: Path) -> int:
    """Return the number after the highest that is claimed."""
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208
    return 1 + max([int(name) for name in names if name.isdecimal()], default=0)


def _name(folder: Path, key: str) -> Path:
    return folder / f"of-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
