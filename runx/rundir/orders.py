"""Orders: files that give the reason why an attempt is ended, written before it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runx.errors import StoreError
from runx.rundir.files import disk_problem, read_json, to_json, write_whole
from runx.rundir.machines import locality_of, this_machine, whoami
from runx.rundir.paths import RunDir

CANCEL = "cancel"
TIMEOUT = "timeout"
PRUNE = "prune"


def write_order(
    run: RunDir,
    order: str,
    attempt: int,
    heed: bool = False,
    is_over: bool = False,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an order to end an attempt: ``cancel``; ``timeout`` when its time is over; ``prune``.

    ``heed``: its run.sh ends it, since runx can't. ``is_over``: its job, asked for since, is gone,
    or its farm can't be asked for jobs; without that it may still be there. ``details`` are
    kept with it.
    """
    import secrets  # not at start: importing it takes longer than reading a hundred runs

    run.orders.mkdir(exist_ok=True)
    now = time.time()
    content = {"order": order, "attempt": attempt, "heed": heed, "over": is_over}
    content |= details or {}
    content |= {"time": now, "by": {**whoami(), "user": os.geteuid()}}
    write_whole(run.orders / f"{now:.6f}-{secrets.token_hex(3)}.json", to_json(content))


def write_order_if_possible(
    run: RunDir, order: str, attempt: int, say: Callable[[str], None], heed: bool = False
) -> bool:
    """Write an order; where the disk takes none, say so and return False."""
    try:
        write_order(run, order, attempt, heed)
    except OSError as error:
        problem = disk_problem(error, run.path)
        say(f"{run.path.name}: that it ends by a {order} can't be written: {problem}")
        return False
    return True


def order_of(run: RunDir, attempt: int, warn: Callable[[str], None]) -> str | None:
    """Return the first order to end an attempt, None without one; warn of damaged ones."""
    return next((str(order.get("order")) for order in _orders(run, attempt, warn)), None)


def pruned_by(run: RunDir, attempt: int) -> dict[str, Any]:
    """Return the order by which an attempt was stopped early, empty without one."""
    orders = _orders(run, attempt, lambda _: None)
    return next((order for order in orders if order.get("order") == PRUNE), {})


def is_called_off(run: RunDir, attempt: int) -> bool:
    """Return whether an attempt's job was known to be over after an order, or can't be known."""
    orders = _orders(run, attempt, lambda _: None)
    # Orders of an older runx don't say: those that are heeded are of farms that can't be asked.
    return any(order.get("over", order.get("heed")) for order in orders)


def is_cancelled_elsewhere(run: RunDir, attempt: int) -> bool:
    """Return whether an attempt was cancelled from where its processes can't be signalled.

    That is another machine or container, or another user.
    """
    return any(
        order.get("order") == CANCEL and not _is_from_here(order.get("by"))
        for order in _orders(run, attempt, lambda _: None)
    )


def _is_from_here(process: object) -> bool:
    if not isinstance(process, dict) or process.get("user", os.geteuid()) != os.geteuid():
        return False
    return locality_of(process, this_machine()) == "here"


def _orders(run: RunDir, attempt: int, warn: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Yield the orders for an attempt, oldest first."""
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
