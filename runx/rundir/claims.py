"""Who may execute an attempt: a file that says which process, made once and never changed."""

from __future__ import annotations

import functools
import json
import os
import time
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.processes import boot_id, start_time
from runx.rundir.files import VERSION, read_json
from runx.rundir.paths import RunDir


@functools.lru_cache(maxsize=1)
def whoami() -> dict[str, Any]:
    """Say which process this is, in words that no other process ever shares.

    The pid of a dead process is used again; the boot it belongs to and its start time in clock
    ticks since then (field 22 of /proc/PID/stat, proc(5)) are not.
    """
    return {
        "host": os.uname().nodename,
        "boot": boot_id(),
        "pid": os.getpid(),
        "start": start_time(os.getpid()),
    }


def claim_text(farm: str | None, code: str | None, launch: str | None = None) -> str:
    """Claim an attempt for this process, or for the farm that it hands the run to."""
    said = {"farm": farm, "code": code, "launch": launch, "time": time.time()}
    return json.dumps({"version": VERSION, **whoami(), **said}) + "\n"


def take(run: RunDir, attempt: int, text: str) -> bool:
    """Claim an attempt by link(2) of a finished file: the first wins, on NFS too."""
    run.attempts.mkdir(exist_ok=True)
    return link_claim(run.claim(attempt), text)


def is_ours(run: RunDir, attempt: int) -> bool:
    """Say whether this process claimed an attempt."""
    try:
        claim = read_json(run.claim(attempt))
    except StoreError:
        return False
    return all(claim.get(name) == value for name, value in whoami().items())


def link_claim(path: Path, text: str) -> bool:
    """Make a file that nobody has made, and say whether it was this process that did."""
    import secrets  # not at start: who looks at runs needs nothing of it

    # Never a name that was there before: one that a killed process left behind may be a claim.
    beside = path.with_name(f"claim.{os.uname().nodename}.{os.getpid()}.{secrets.token_hex(4)}")
    beside.write_text(text)
    try:
        os.link(beside, path)
    except FileExistsError:
        # A server that answered late may have linked it and say so only to a second asking.
        return beside.stat().st_nlink > 1
    finally:
        beside.unlink()
    return True
