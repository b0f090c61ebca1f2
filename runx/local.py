"""One run on this machine: started apart from its launcher, so that it outlives it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from runx.devices import Lease
from runx.errors import RunxError
from runx.facts import here, lives
from runx.processes import started
from runx.rundir import RunDir, read_lines

_KILLED = 128 + signal.SIGKILL  # what else ends run.sh without a word
_LOOKERS = 2.0  # seconds for which others may hold the lock, to see whether it is held


@dataclass(frozen=True, slots=True)
class Live:
    """A run that goes on here: its attempt, and since when.

    ``process`` is its run.sh, or None where another launcher, now dead, started it.
    """

    dir: RunDir
    attempt: int
    process: subprocess.Popen[bytes] | None
    since: float

    def status(self) -> int | None:
        """Give the exit status that the run came to, or None while any process of it lives."""
        status = self.process.poll() if self.process else None
        if status is not None and status >= 0:
            return status
        if (self.process and status is None) or is_locked(self.dir):
            return None
        code = (_event(self.dir, self.attempt, "ended") or {}).get("code")
        return code if isinstance(code, int) else _KILLED


def start(
    run: RunDir,
    attempt: int,
    lease: Lease,
    terminal: bool = False,
) -> Live:
    """Start run.sh for an attempt that is claimed.

    It inherits the run's lock and those of its lease, which fall when the last process
    of the run is gone, whatever becomes of this one. With ``terminal`` it shares this process's.
    """
    lock = locked(run)
    try:
        process = started(
            ("bash", str(run.script)),
            environment={**lease.environment, "RUNX_LOCK": str(lock), **_attached(terminal)},
            pass_fds=(lock, *lease.locks),
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
    script = _event(live.dir, live.attempt, "started")
    group = process_group(live.dir, live.attempt)
    if number is not signal.SIGKILL and script and lives(script, here()):
        os.kill(int(script["pid"]), number)
    elif number is not signal.SIGKILL and live.process and live.process.poll() is None:
        live.process.send_signal(number)
    elif group is not None and is_locked(live.dir):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass
    elif live.process:
        live.process.send_signal(number)


def process_group(run: RunDir, attempt: int) -> int | None:
    """Give the process group that an attempt's script runs in, once run.sh has recorded it."""
    event = _event(run, attempt, "running")
    return int(event["group"]) if event else None


def _event(run: RunDir, attempt: int, name: str) -> dict[str, Any] | None:
    for line in read_lines(run.events(attempt)):
        try:
            event = json.loads(line)
        except ValueError:
            continue  # A torn line costs itself; status tells of it.
        if isinstance(event, dict) and event.get("event") == name:
            return event
    return None
