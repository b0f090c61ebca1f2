"""Whoever ends a run on purpose says so beside it first, so that its end is understood."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from runx.errors import StoreError
from runx.rundir.claims import whoami
from runx.rundir.files import read_json, to_json, write_whole
from runx.rundir.paths import RunDir

CANCEL = "cancel"


TIMEOUT = "timeout"


def give(run: RunDir, order: str, attempt: int, heed: bool = False) -> None:
    """Order the end of an attempt: ``cancel`` because a person wants it, ``timeout`` its time.

    ``heed`` says that its run.sh shall end it, as nobody else does.
    """
    import secrets  # not at start: it takes longer than all of a look at a hundred runs

    run.orders.mkdir(exist_ok=True)
    now = time.time()
    content = {"order": order, "attempt": attempt, "heed": heed, "time": now, "by": whoami()}
    write_whole(run.orders / f"{now:.6f}-{secrets.token_hex(3)}.json", to_json(content))


def ordered(run: RunDir, attempt: int, warn: Callable[[str], None]) -> str | None:
    """Give the first order that somebody gave to end this attempt; a damaged one is told of."""
    return next((str(order.get("order")) for order in _orders(run, attempt, warn)), None)


def is_called_off_elsewhere(run: RunDir, attempt: int) -> bool:
    """Say whether somebody on another machine cancelled this attempt; who is here tells it."""
    return any(
        order.get("order") == CANCEL and order.get("by", {}).get("host") != whoami()["host"]
        for order in _orders(run, attempt, lambda _: None)
    )


def _orders(run: RunDir, attempt: int, warn: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    try:
        names = sorted(os.listdir(run.orders))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            order = read_json(run.orders / name)
        except StoreError as error:
            warn(str(error))
            continue
        if order.get("attempt", attempt) in (attempt, None):
            yield order
