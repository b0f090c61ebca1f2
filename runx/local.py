"""One run on this machine: started apart from its launcher, so that it outlives it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runx.errors import RunxError
from runx.processes import started
from runx.rundir import RunDir, read_lines

_LOOKERS = 2.0  # seconds for which others may hold the lock, to see whether it is held


@dataclass(frozen=True, slots=True)
class Live:
    """A run that was started here: its attempt, its run.sh and when that began."""

    dir: RunDir
    attempt: int
    process: subprocess.Popen[bytes]
    since: float


def start(
    run: RunDir,
    attempt: int,
    environment: Mapping[str, str],
    leases: Sequence[int] = (),
    terminal: bool = False,
) -> Live:
    """Start run.sh for an attempt that is claimed.

    It inherits the run's lock and the descriptors of its leases, which fall when the last process
    of the run is gone, whatever becomes of this one. With ``terminal`` it shares this process's.
    """
    lock = locked(run)
    try:
        process = started(
            ("bash", str(run.script)),
            environment={**environment, "RUNX_LOCK": str(lock), **_attached(terminal)},
            pass_fds=(lock, *leases),
            new_session=not terminal,
            stdin=None if terminal else subprocess.DEVNULL,
            stdout=None if terminal else subprocess.DEVNULL,
        )
    finally:
        os.close(lock)
    return Live(run, attempt, process, time.monotonic())


def _attached(terminal: bool) -> dict[str, str]:
    return {"RUNX_ATTACH": "1"} if terminal else {}


def locked(run: RunDir) -> int:
    """Take a run's lock and give its descriptor, or say that the run is alive."""
    descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    deadline = time.monotonic() + _LOOKERS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            # Whoever looks whether the run is alive holds the lock for a moment.
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise RunxError(f"{run.path}: is running already; runx status shows it") from None
            time.sleep(0.01)


def is_locked(run: RunDir) -> bool:
    """Say whether any process of a run lives on this machine."""
    try:
        descriptor = os.open(run.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def tell(live: Live, number: signal.Signals) -> None:
    """Send a signal to a run: through run.sh, which records it, or to its group if that is gone."""
    if live.process.poll() is None and number is not signal.SIGKILL:
        live.process.send_signal(number)
        return
    group = process_group(live.dir, live.attempt)
    if group is not None:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass


def process_group(run: RunDir, attempt: int) -> int | None:
    """Give the process group that an attempt's script runs in, once run.sh has recorded it."""
    for line in read_lines(run.events(attempt)):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("event") == "running":
            return int(event["group"])
    return None
