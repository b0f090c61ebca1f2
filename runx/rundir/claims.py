"""Claims: files that name the process that may execute an attempt, written once.

A launcher of runs here claims an attempt just before it starts it. Until then it waits, with a file
that becomes the claim: several may wait for the same attempt, and one gets it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runx.errors import StoreError
from runx.locks import is_held
from runx.rundir.files import VERSION, read_json, write_whole
from runx.rundir.machines import is_process_alive, this_machine, whoami
from runx.rundir.paths import ATTEMPTS, ExperimentDir, RunDir

_WAIT = ".wait"


def claim_text(farm: str | None, code: str | None, launch: str | None = None) -> str:
    """Return the content of a claim for this process, or for the farm that gets the run."""
    claim = {"farm": farm, "code": code, "launch": launch, "time": time.time()}
    return json.dumps({"version": VERSION, **whoami(), **claim}) + "\n"


def take(run: RunDir, attempt: int, text: str) -> bool:
    """Claim an attempt; return False where another process has.

    Before what it allows is begun, the claim must be synced: alone, or with others of a launch.
    """
    run.attempts.mkdir(exist_ok=True)
    return link_claim(run.claim(attempt), text)


def wait_for(run: RunDir, attempt: int, text: str, launch: str, is_shared: bool) -> None:
    """Wait for the turn to claim an attempt, beside others if it ``is_shared``."""
    run.attempts.mkdir(exist_ok=True)
    if not is_shared:
        _clear(run, attempt)  # Those who waited have died.
    write_whole(run.wait(attempt, launch), text)


def take_waiting(run: RunDir, attempt: int, launch: str) -> bool | None:
    """Claim an attempt that a launch waits for; return False where another has, None if it can't.

    Its content was written, and synced, when the wait began; now the name is.
    """
    wait = run.wait(attempt, launch)
    try:
        os.link(wait, run.claim(attempt))
    except FileNotFoundError:
        return False if run.claim(attempt).exists() else None
    except FileExistsError:
        is_taken = False
        with suppress(OSError):  # The other has removed what waits.
            is_taken = wait.samefile(run.claim(attempt))  # NFS: as in link_claim
        if not is_taken:
            return False
    _settle(run, attempt)
    return True


def _settle(run: RunDir, attempt: int) -> None:
    """Sync the claim that was just taken, and remove what waits for it."""
    descriptor = os.open(run.attempts, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _clear(run, attempt)


def fill_gaps(run: RunDir, attempt: int, text: str) -> None:
    """Claim what nobody has claimed of the attempts before one: such as were cancelled in time."""
    for earlier in range(1, attempt):
        if not run.claim(earlier).exists():
            take(run, earlier, text)


def _clear(run: RunDir, attempt: int) -> None:
    for name in os.listdir(run.attempts):  # noqa: PTH208
        if name.endswith(_WAIT) and name.startswith(f"{attempt}."):
            (run.attempts / name).unlink(missing_ok=True)


def waiting_claims(
    run: str, names: Iterable[str], claimed: Iterable[int]
) -> dict[int, Mapping[str, Any]]:
    """Return the claims that launchers wait with, by attempt: of each that of one who lives.

    ``names``: those of their files in attempts/. ``claimed``: the attempts that are claimed. Of one
    that was claimed since it is that claim.
    """
    last = max(claimed, default=0)
    found: dict[int, list[Mapping[str, Any]]] = {}
    for name in sorted(names):
        number = name.partition(".")[0]
        if not number.isdecimal() or int(number) <= last:
            continue
        for file in (name, f"{number}.claim"):
            with suppress(StoreError):
                found.setdefault(int(number), []).append(read_json(f"{run}/{ATTEMPTS}/{file}"))
                break
    return {
        number: max(claims, key=lambda each: _life(run, each))
        for number, claims in found.items()
        if claims
    }


def _life(run: str, claim: Mapping[str, Any]) -> int:
    """Return 2 if the process of a claim lives, 1 if nobody can say, 0 if it is dead."""
    is_known = is_process_alive(claim, this_machine())
    if is_known is not None:
        return 2 * is_known
    launch = str(claim.get("launch") or "")
    return 1 + bool(is_held(ExperimentDir(Path(run).parent).launch_lock(launch)))


def wanting(run: RunDir, claim: Mapping[str, Any]) -> str:
    """Return what the launcher of a claim waits for, as it has written; "" if nothing is short."""
    launch = str(claim.get("launch") or "")
    with suppress(StoreError):
        if launch and "/" not in launch:
            waits = read_json(ExperimentDir(run.path.parent).launch_waits(launch))
            return str(waits.get("for") or "")
    return ""


def launcher_lives(experiment: ExperimentDir, launch: str) -> bool:
    """Return whether the launcher of a launch's runs here lives, as far as is seen from here."""
    lock = experiment.launch_lock(launch)
    held = is_held(lock)
    if held is None and lock.exists():  # Its file system has no locks.
        with suppress(StoreError):
            return bool(is_process_alive(read_json(lock.with_name("launch.json")), this_machine()))
    return bool(held)


def link_claim(path: Path, text: str) -> bool:
    """Create a file; return False where it exists.

    It is written beside and linked into place, since link(2) is atomic on NFS, too. So a claim
    without content is what a power failure has left.
    """
    import secrets  # not at start: readers of runs don't need it

    # Always a new name: a file that a killed process left may be linked to a claim.
    beside = path.with_name(f"claim.{os.uname().nodename}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text)
        os.link(beside, path)
    except FileExistsError:
        # NFS: the server may have linked it, and the retried request got this error.
        return beside.stat().st_nlink > 1
    finally:
        beside.unlink(missing_ok=True)
    return True
