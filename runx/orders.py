"""Whoever ends a run on purpose says so beside it first, so that its end is understood."""

from __future__ import annotations

import secrets
import time

from runx.claims import whoami
from runx.rundir import RunDir, to_json, write_whole

CANCEL = "cancel"
TIMEOUT = "timeout"


def give(run: RunDir, order: str, attempt: int) -> None:
    """Order the end of an attempt: ``cancel`` because a person wants it, ``timeout`` its time."""
    run.orders.mkdir(exist_ok=True)
    now = time.time()
    content = {"order": order, "attempt": attempt, "time": now, "by": whoami()}
    write_whole(run.orders / f"{now:.6f}-{secrets.token_hex(3)}.json", to_json(content))
