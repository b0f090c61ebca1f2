"""Claims: files that name the process that may execute an attempt, written once."""

from __future__ import annotations

import functools
import json
import os
import time
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.processes import boot_id, start_time
from runx.rundir.files import VERSION, read_json, sync
from runx.rundir.paths import RunDir


@functools.lru_cache(maxsize=1)
def whoami() -> dict[str, Any]:
    """Return what identifies this process: host, boot id, pid and start time.

    The pid of a dead process is used again, but not with the same boot and start time in clock
    ticks since boot (field 22 of /proc/PID/stat, proc(5)).
    """
    return {
        "host": os.uname().nodename,
        "boot": boot_id(),
        "pid": os.getpid(),
        "start": start_time(os.getpid()),
    }


def claim_text(farm: str | None, code: str | None, launch: str | None = None) -> str:
    """Return the content of a claim for this process, or for the farm that gets the run."""
    claim = {"farm": farm, "code": code, "launch": launch, "time": time.time()}
    return json.dumps({"version": VERSION, **whoami(), **claim}) + "\n"


def take(run: RunDir, attempt: int, text: str) -> bool:
    """Claim an attempt; return False where another process has. The claim survives power loss."""
    run.attempts.mkdir(exist_ok=True)
    if not link_claim(run.claim(attempt), text):
        return False
    sync(run.attempts)
    return True


def is_ours(run: RunDir, attempt: int) -> bool:
    """Return whether this process has claimed an attempt."""
    try:
        claim = read_json(run.claim(attempt))
    except StoreError:
        return False
    return all(claim.get(name) == value for name, value in whoami().items())


def link_claim(path: Path, text: str) -> bool:
    """Create a file; return False where it exists.

    It is written beside, synced and linked into place, since link(2) is atomic on NFS, too. So a
    claim without content is what a power failure left of one of an earlier version.
    """
    import secrets  # not at start: readers of runs don't need it

    # Always a new name: a file that a killed process left may be linked to a claim.
    beside = path.with_name(f"claim.{os.uname().nodename}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text)
        sync(beside)
        os.link(beside, path)
    except FileExistsError:
        # NFS: the server may have linked it, and the retried request got this error.
        return beside.stat().st_nlink > 1
    finally:
        beside.unlink(missing_ok=True)
    return True
